#!/usr/bin/env bash
# Predict with several processes (see dist_run.sh): tools/dist_predict.sh CONFIG CHECKPOINT GPUS SOURCE --out DIR [OPTIONS]
exec bash "$(dirname "$0")/dist_run.sh" "$3" predict.py "$1" "$2" "${@:4}"
