#!/usr/bin/env bash
# What dist_train.sh and dist_test.sh share: PROGRAM CONFIG GPUS [arguments of PROGRAM]
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: tools/dist_${1%.py}.sh CONFIG GPUS [ARGUMENTS]" >&2
    exit 2
fi
program=$1 config=$2 gpus=$3
shift 3
port=${PORT:-}
if [ "${NNODES:-1}" -gt 1 ]; then
    port=${PORT:-29500}  # all machines must agree on it
fi
if [ "${NODE_RANK:-0}" -eq 0 ]; then
    port=$("${PYTHON:-python}" "$(dirname "$0")/free_port.py" ${port:+"$port"})
fi
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="$port" \
    --nproc_per_node="$gpus" \
    "$(dirname "$0")/../$program" "$config" --launcher pytorch "$@"
