#!/usr/bin/env bash
# exp, log, tanh and sigmoid over all 2^32 floats, on every instruction set that this CPU runs: some
# minutes.
#   bash bench/activations.sh [THREADS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh

need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev doctest-dev
mkdir -p build
quietly build/activations.log cmake --preset release -DSLUICE_BENCH=ON
quietly build/activations.log cmake --build --preset release --target exhaust_activations
build/release/bin/exhaust_activations "$@"
