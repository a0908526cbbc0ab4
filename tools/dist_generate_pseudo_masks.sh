#!/usr/bin/env bash
# Make pseudo masks with several processes (see dist_run.sh): tools/dist_generate_pseudo_masks.sh CONFIG CHECKPOINT GPUS --out DIR [OPTIONS]
exec bash "$(dirname "$0")/dist_run.sh" "$3" generate_pseudo_masks.py "$1" "$2" "${@:4}"
