#!/usr/bin/env bash
# Run a tool with several processes on one or more machines: tools/dist_run.sh GPUS TOOL.py ARGUMENTS
# Without a GPU the processes run on the CPU and talk over gloo.
PYTHONPATH="$(dirname "$0")/..":$PYTHONPATH \
exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$1" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$(dirname "$0")/$2" --launcher pytorch "${@:3}"
