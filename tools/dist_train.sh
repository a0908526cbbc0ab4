#!/usr/bin/env bash
# Train with several processes (see dist_run.sh): tools/dist_train.sh CONFIG GPUS [OPTIONS OF train.py]
exec bash "$(dirname "$0")/dist_run.sh" "$2" train.py "$1" "${@:3}"
