#!/usr/bin/env bash
# Train under SLURM (see slurm_run.sh): tools/slurm_train.sh PARTITION JOB_NAME CONFIG [OPTIONS OF train.py]
exec bash "$(dirname "$0")/slurm_run.sh" "$1" "$2" train.py "${@:3}"
