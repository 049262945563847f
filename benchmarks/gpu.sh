#!/usr/bin/env bash
# Measures the framework on one GPU in less than eight minutes, and writes gpu.json and gpu.md to a folder:
#
#     benchmarks/gpu.sh [FOLDER] [DATA]
#
# FOLDER is gpu-results by default. DATA are images for two short runs, which are left out without them: an .npz of `x`
# uint8 (N, 32, 32, 3) and `y` (N,), or a tar archive of train/CLASS/NAME.jpg. The framework has to be installed, so
# that its plugins are found; its code is taken from this checkout. PYTHON names another python3. Without a CUDA device,
# or with GPU_DRY=1, everything is done in tiny sizes on the CPU, to see that it works.
# GPU_PARTS=footprint,steps measures such parts alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-gpu-results}"
folder=$(cd "${1:-gpu-results}" && pwd)
data=${2:+$(realpath "$2")}
cd "$root"
export PYTHONPATH="$root/benchmarks:$root:$root/plugins${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONUNBUFFERED=1
if [ "${GPU_DRY:-}" = 1 ]; then export CUDA_VISIBLE_DEVICES=; fi
exec "${PYTHON:-python3}" -m gpu "$folder" ${data:+"$data"}
