#!/usr/bin/env bash
# Run a tool under SLURM: [GPUS=4] tools/slurm_run.sh PARTITION JOB_NAME TOOL.py ARGUMENTS
PYTHONPATH="$(dirname "$0")/..":$PYTHONPATH \
exec srun -p "$1" --job-name="$2" --gres=gpu:"${GPUS_PER_NODE:-4}" \
    --ntasks="${GPUS:-4}" --ntasks-per-node="${GPUS_PER_NODE:-4}" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 $SRUN_ARGS \
    python -u "$(dirname "$0")/$3" --launcher slurm "${@:4}"
