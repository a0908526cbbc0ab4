#!/usr/bin/env bash
# Evaluate with several processes (see dist_run.sh): tools/dist_test.sh CONFIG CHECKPOINT GPUS [OPTIONS OF test.py]
exec bash "$(dirname "$0")/dist_run.sh" "$3" test.py "$1" "$2" "${@:4}"
