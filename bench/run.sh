#!/usr/bin/env bash
# Every figure beside its limit and, if oneDNN is installed, beside oneDNN; one pinned core,
# medians.
#   bash bench/run.sh [--json FILE] [--benchmark_filter=REGEX and other options of Google Benchmark]
# SLUICE_ISA names an instruction set; the best one otherwise.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh

options=()
while [ $# -gt 0 ]; do
  case $1 in
    --json)
      [ $# -gt 1 ] || { echo "bench/run.sh: --json: no file; give one" >&2; exit 2; }
      case $2 in /*) json=$2 ;; *) json=$here/$2 ;; esac
      options+=("--benchmark_out=$json" --benchmark_out_format=json)
      shift 2
      ;;
    *) options+=("$1"); shift ;;
  esac
done

need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev libsqlite3-dev libeigen3-dev libnlopt-dev \
  doctest-dev libbenchmark-dev libopenmpi-dev openmpi-bin util-linux
need_packages libdnnl-dev || echo "Without oneDNN: no ratios to it"
mkdir -p build
quietly build/bench.log cmake --preset release -DSLUICE_BENCH=ON
quietly build/bench.log cmake --build --preset release --target sluice_bench

# The last core that we may use: the first one serves interrupts more often.
core=$(taskset -cp $$ | sed 's/.*[ ,-]//')
OMP_NUM_THREADS=1 exec taskset -c "$core" build/release/bin/sluice_bench "${options[@]}"
