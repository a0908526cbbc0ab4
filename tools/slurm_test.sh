#!/usr/bin/env bash
# Evaluate under SLURM (see slurm_run.sh): tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [OPTIONS OF test.py]
exec bash "$(dirname "$0")/slurm_run.sh" "$1" "$2" test.py "${@:3}"
