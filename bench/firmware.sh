#!/usr/bin/env bash
# The cost of a step on a Cortex-M: counted instructions, stack, arena and code, for each core,
# number format and shape, in one build, whose flags are printed. Fits the counts, and writes the
# file that `sluice inspect --core` uses: tools/convert/cost.csv.
#   bash bench/firmware.sh [--json FILE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh
json=
case "${1:-}" in
  --json) json=${2:?--json FILE} ;;
  "") ;;
  *) echo "usage: bash bench/firmware.sh [--json FILE]" >&2; exit 2 ;;
esac
need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev doctest-dev \
  gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm

out=build/bench-firmware
cores="cortex-m0 cortex-m3 cortex-m4 cortex-m7 cortex-m33 cortex-m55"
mkdir -p "$out/cases"
quietly "$out/host.log" cmake --preset release
quietly "$out/host.log" cmake --build --preset release --target make_case fit_cost

# The table's shapes, and others that tell the parts of a step's cost apart: inputs, units, layers.
shapes="8-gru-16 16-gru-32 40-gru-64 64-gru-128 128-gru-256"
lstm_shapes="8-lstm-16 16-lstm-32 40-lstm-64 64-lstm-128 128-lstm-256"
others="3-gru-8 100-gru-24 9-gru-40 200-gru-16 4-gru-96 40-dense-64 64-dense-8 12-dense-16 100-dense-40 12-gru-32-dense-9 20-gru-24-dense-4
  6-dense-32-gru-16-dense-2 10-gru-24-gru-16-dense-5
  12-tanh-64-gru-8 30-gru-8-tanh-24-dense-3 16-sigmoid-72-gru-8 24-gru-16-sigmoid-40-dense-2 20-relu-80-gru-8 9-gru-16-relu-24-dense-8
  10-gru-16-softmax-48 30-gru-8-softmax-8"
cells="$lstm_shapes 3-lstm-8 9-lstm-40 100-lstm-24 12-lstm-32-dense-9 40-rnn-64 8-rnn-16 3-rnn-8 9-rnn-40 100-rnn-24 12-rnn-32-dense-9
  40-gru_before-64 8-gru_before-16 3-gru_before-8 9-gru_before-40 100-gru_before-24 12-gru_before-32-dense-9
  40-fastgrnn-64 8-fastgrnn-16 3-fastgrnn-8 9-fastgrnn-40 100-fastgrnn-24 12-fastgrnn-32-dense-9"
# gru.8: of rank 8. A layer that joins reads the layer before it, so many times.
low_rank="40-gru.8-64 12-gru.4-16 100-gru.16-24 9-gru.12-40 40-lstm.8-64 24-lstm.16-48 12-rnn.8-24 40-rnn.12-64 40-gru_before.8-64
  12-gru_before.4-24 9-fastgrnn.12-40 100-fastgrnn.8-32"
joins="24-tanh-16-add-2-dense-4 9-gru-24-add-4 12-tanh-40-add-3-gru-8 12-tanh-24-concat-2-dense-8 16-gru-16-concat-4
  20-tanh-32-concat-3-gru-8 24-tanh-16-multiply-2-dense-4 9-gru-40-multiply-2 40-select-24-gru-8 64-select-8-dense-8 12-gru-32-select-5
  24-add-2-dense-8 40-multiply-2-gru-8 30-concat-3-dense-4 64-concat-2 50-add-3-dense-16"
differences="24-difference-24-gru-16 60-difference-60-gru-8-dense-4 9-difference-9-dense-8 100-difference-100-dense-16"
others="$others $cells $low_rank $joins $differences"
# gru+relu: of that candidate; gru+hard: of gates of a hard sigmoid.
curves="40-gru+relu-64 9-gru+linear-16 100-gru+relu-24 40-gru+hard-64 9-gru+hard-16 24-gru+relu+hard-48 40-lstm+relu-64 9-lstm+linear-16
  40-lstm+hard-64 9-lstm+relu+hard-24 40-gru_before+relu-64 9-gru_before+hard-24 40-rnn+relu-64 9-rnn+linear-24 12-lstm+relu-32-dense-9"
others="$others $curves"
# For floats alone: in fixed point a standardization is part of the inputs' scales.
of_floats="150-standardize-150-gru-8 24-standardize-24-gru-32 60-standardize-60-gru-16-dense-4"
# lstm+peek: with peepholes, lstm+clip: with a clipped cell state, lstm+proj: with a projection.
of_floats="$of_floats 24-lstm+peek-16 24-lstm+peek-48 24-lstm+clip-16 24-lstm+clip-48 24-lstm+proj-16 24-lstm+proj-48 16-lstm+peek+clip+proj-32"
for curve in hard_sigmoid elu leaky_relu prelu silu gelu gelu_tanh softplus clip softsign exponential selu hard_silu; do
  of_floats="$of_floats 20-$curve-80 16-$curve-24-dense-3"
done
# For fixed point alone. Sparse models store one block of 8 x 4 weights in ten.
of_integers="30-embedding-8-gru-16 30-embedding-64-dense-8 50-embedding-24-lstm-16 20-embedding-40-rnn-8
  sparse-16-gru-32 sparse-40-gru-64 sparse-128-gru-256 sparse-100-gru-24-dense-40 sparse-64-dense-80 sparse-200-dense-16 sparse-9-gru-40"
for type in f32 int8 w8a16; do
  [ $type = f32 ] && own=$of_floats || own=$of_integers
  for shape in $shapes $others $own; do
    build/release/bin/make_case "$out/cases/$type-$shape" $type ${shape//-/ }
  done
done

: >"$out/counts"
for core in $cores; do
  quietly "$out/$core.log" cmake --preset $core -B "$out/$core" -DSLUICE_CASES="$PWD/$out/cases"
  quietly "$out/$core.log" cmake --build "$out/$core" -j "$(nproc)"
  ctest --test-dir "$out/$core" -V -R '^case' -j "$(nproc)" >"$out/$core.txt" || { tail -n 20 "$out/$core.txt" >&2; exit 1; }
  declare -A code=()
  for type in f32 int8 w8a16; do
    quietly "$out/$core-$type.log" cmake --preset $core -B "$out/$core-$type" -DSLUICE_FORMATS=$type -DSLUICE_CASES=/nowhere
    quietly "$out/$core-$type.log" cmake --build "$out/$core-$type" -j "$(nproc)" --target size
    code[$type]=$(ctest --test-dir "$out/$core-$type" -V -R '^size$' | sed -n 's/.*code and tables: \([0-9]*\) bytes.*/\1/p')
  done
  # "4: int8-40-gru-64: ok, 64 frames; stack 388 to open, 616 to step, state 128, scratch 384 bytes;
  # 31104 instructions a step, ..."
  sed -nE "s/^[0-9]+: ([a-z0-9]+)-([-a-z0-9_.+]+): ok.*stack ([0-9]+) to open, ([0-9]+) to step, state ([0-9]+), scratch ([0-9]+) bytes; ([0-9]+) instructions.*/\1 \2 \3 \4 \5 \6 \7/p" \
    "$out/$core.txt" | while read -r type rest; do echo "$core ${code[$type]} $type $rest"; done >>"$out/counts"
done

echo "Kernels -O2, the rest -Os, $(arm-none-eabi-gcc --version | head -n 1 | sed 's/ (.*)//') $(arm-none-eabi-gcc -dumpversion); counted by qemu-system-arm -icount shift=0"
build/release/bin/fit_cost "$out/counts" "$shapes $lstm_shapes" tools/convert/cost.csv "$json"
