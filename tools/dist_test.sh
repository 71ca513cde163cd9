#!/usr/bin/env bash
# Evaluate with several processes: tools/dist_test.sh CONFIG GPUS CHECKPOINT [arguments of test.py]
set -euo pipefail
exec "$(dirname "$0")/misc/dist_run.sh" test.py "$@"
