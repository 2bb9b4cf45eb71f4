#!/usr/bin/env bash
# From a fresh Debian bookworm to a trained network that gives the same bits on this CPU and on an emulated ARM.
#   bash tools/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh

step() { printf '\n== %s\n' "$*"; }

out=build/quickstart
recipe=tools/recipes/japanese-vowels.toml
test_data=tools/recipes/japanese-vowels/test.csv
sluice=build/release/bin/sluice
arm_sluice=build/aarch64/bin/sluice
model=$out/japanese-vowels.slu
mkdir -p "$out"

step "What it takes: compilers, libraries, an ARM emulator"
need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev \
  doctest-dev g++-aarch64-linux-gnu qemu-user-static
echo "all there"

for preset in release aarch64; do
  step "Building the sluice command, preset $preset"
  quietly "$out/build-$preset.log" cmake --preset "$preset"
  quietly "$out/build-$preset.log" cmake --build --preset "$preset" --target sluice
  echo "build/$preset/bin/sluice"
done

step "Training a GRU of 32 units to tell nine speakers of Japanese vowels apart ($recipe)"
"$sluice" train "$recipe" --out "$out/run" --force
cp "$out/run/model.slu" "$model"

step "How well it does on the 370 test utterances, which training never saw"
"$sluice" eval "$model" --data "$test_data"

step "What it costs on a device"
"$sluice" inspect "$model"

step "The same answers here and on ARM"
"$sluice" run "$model" --input "$test_data" --every-step --hex --output "$out/here.csv"
qemu-aarch64-static "$arm_sluice" run "$model" --input "$test_data" --every-step --hex --output "$out/aarch64.csv"
if ! cmp "$out/here.csv" "$out/aarch64.csv"; then
  echo "The outputs differ. That should never happen: please report it, with $out/here.csv and $out/aarch64.csv." >&2
  exit 1
fi
frames=$(($(wc -l <"$out/here.csv") - 1))
utterances=$(tail -n +2 "$out/here.csv" | cut -d, -f1 | uniq | wc -l)
echo "$utterances utterances, $frames frames, 9 outputs each: all $((frames * 9)) numbers are the same to the bit on"
echo "$(uname -m) and under qemu-aarch64 (first line: $(sed -n 2p "$out/here.csv" | cut -d, -f1-5),...)"

cat <<END

== What to try next
  $sluice train $recipe --out run2 --seed 2 --set model.dropout.output=0.3
  $sluice run $model --input $test_data
  $sluice bench $model
  $sluice export $model --format c --out firmware     # model.h and model.c for a device
  bash tests/run.sh                                   # every test, on four targets
README.md shows the ten lines of C that run it.
END
