#!/usr/bin/env bash
# A step of training by one process and by two ranks of mpirun, one thread each on two cores, in
# turns; and the cost of the ranks' exchanges.
#   bash bench/ranks.sh [OPTION OF MPIRUN ...]
# The options --mca btl self,tcp use the network's stack in place of shared memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh

need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev doctest-dev \
  libopenmpi-dev openmpi-bin
mkdir -p build
quietly build/ranks.log cmake --preset release -DSLUICE_BENCH=ON
quietly build/ranks.log cmake --build --preset release --target bench_ranks
OMP_NUM_THREADS=1 exec mpirun --allow-run-as-root --oversubscribe --bind-to core "$@" -n 2 build/release/bin/bench_ranks
