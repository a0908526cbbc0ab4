#!/usr/bin/env bash
# Make pseudo masks with several processes:
#   tools/dist_generate_pseudo_masks.sh CONFIG CHECKPOINT GPUS --out DIR [OPTIONS OF generate_pseudo_masks.py]
# Without a GPU the processes run on the CPU and talk over gloo.
CONFIG=$1
CHECKPOINT=$2
GPUS=$3
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}
PORT=${PORT:-29500}
MASTER_ADDR=${MASTER_ADDR:-"127.0.0.1"}

PYTHONPATH="$(dirname "$0")/..":$PYTHONPATH \
exec python -m torch.distributed.run \
    --nnodes="$NNODES" --node_rank="$NODE_RANK" --master_addr="$MASTER_ADDR" \
    --nproc_per_node="$GPUS" --master_port="$PORT" \
    "$(dirname "$0")/generate_pseudo_masks.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
