#!/usr/bin/env bash
# Train with several processes: tools/dist_train.sh CONFIG GPUS [arguments of train.py]
# On a machine without a GPU the processes share the CPU (gloo).
# The port that they meet at is a free one, or PORT.
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT (29500) on each.
set -euo pipefail
exec "$(dirname "$0")/misc/dist_run.sh" train.py "$@"
