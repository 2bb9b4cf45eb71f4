#!/usr/bin/env bash
# The spoken digits by a GRU alone and behind convolutions over steps: accuracy in float and in int8
# on the test recordings, means over five seeds; bytes of the int8 model; and instructions a step,
# counted on an emulated Cortex-M4.
#   bash bench/digits.sh FOLDER      the folder of train.csv and test.csv (tools/recipes/README.md)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh
[ -e "${1:-}/train.csv" ] || { echo "usage: bash bench/digits.sh FOLDER, with train.csv and test.csv in it" >&2; exit 2; }
data=$1
need_packages "${host_packages[@]}" gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm

out=build/bench-digits
rm -rf "$out" && mkdir -p "$out/cases"
quietly "$out/host.log" cmake --preset release
quietly "$out/host.log" cmake --build --preset release --target sluice make_case
sluice=build/release/bin/sluice
accuracy() { "$sluice" eval "$1" --data "$data/test.csv" | sed -n 's/.*accuracy \([0-9.]*\) %.*/\1/p' | head -n 1; }
for recipe in spoken-digits conv-digits; do
  quietly "$out/$recipe.log" "$sluice" train tools/recipes/$recipe.toml --data-dir "$data" --seeds 1..5 --out "$out/$recipe"
  for seed in 1 2 3 4 5; do
    run=$out/$recipe/seed-$seed
    quietly "$out/$recipe.log" "$sluice" quantize "$run" --calibrate "$data/train.csv" --out "$run/int8.slu"
    echo "$recipe $(accuracy "$run") $(accuracy "$run/int8.slu") $(wc -c <"$run/int8.slu")"
  done
  build/release/bin/make_case "$out/cases/$recipe" "$out/$recipe/seed-1/int8.slu"
done | awk '{ float[$1] += $2 / 5; int8[$1] += $3 / 5; bytes[$1] = $4 }
  END { for (r in bytes) printf "%s: %.2f %% in float, %.2f %% in int8, %d bytes\n", r, float[r], int8[r], bytes[r] }'
quietly "$out/firmware.log" cmake --preset cortex-m4 -B "$out/cortex-m4" -DSLUICE_CASES="$PWD/$out/cases"
quietly "$out/firmware.log" cmake --build "$out/cortex-m4" --target case-spoken-digits case-conv-digits
ctest --test-dir "$out/cortex-m4" -V -R '^case-.*-digits$' | sed -n 's/^[0-9]*: \(.*-digits\): .*; \([0-9]*\) instructions a step.*/\1: \2 instructions a step on a Cortex-M4/p'
