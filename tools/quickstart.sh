#!/usr/bin/env bash
# From a fresh Debian 12 or 13 to a trained network that gives the same bits on this CPU, on an
# emulated ARM, and in fixed point on an emulated Cortex-M4.
#   bash tools/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/install.sh

step() { printf '\n== %s\n' "$*"; }

out=build/quickstart
recipe=tools/recipes/japanese-vowels.toml
test_data=tools/recipes/japanese-vowels/test.csv
sluice=build/release/bin/sluice
arm_replay=build/aarch64/bin/sluice_replay
model=$out/japanese-vowels.slu
int8=$out/japanese-vowels-int8.slu
board=$out/board
mkdir -p "$out"

step "The packages: compilers, libraries, an ARM emulator"
need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev libsqlite3-dev libeigen3-dev libnlopt-dev \
  doctest-dev g++-aarch64-linux-gnu qemu-user-static gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib \
  qemu-system-arm
echo "all there"

build() {
  quietly "$out/build-$1.log" cmake --preset "$1"
  quietly "$out/build-$1.log" cmake --build --preset "$1" --target "$2"
  echo "build/$1/bin/$2"
}
step "Building the sluice command for this machine, and for 64-bit ARM a program that runs a model"
build release sluice
build aarch64 sluice_replay

step "Training a GRU of 32 units to tell nine speakers of Japanese vowels apart ($recipe)"
"$sluice" train "$recipe" --out "$out/run" --force
cp "$out/run/model.slu" "$model"

step "How well it does on the 370 test utterances, which training never saw"
"$sluice" eval "$model" --data "$test_data"

step "In fixed point: 8 bits for weights and activations, ranges from the training data"
"$sluice" quantize "$model" --calibrate "${test_data%test.csv}train.csv" --out "$int8" --force
printf '\non the test utterances:\n'
printf '  float  %s\n' "$("$sluice" eval "$model" --data "$test_data" | head -n 1)"
printf '  int8   %s\n' "$("$sluice" eval "$int8" --data "$test_data" | head -n 1)"

step "The same answers here and on ARM"
"$sluice" run "$model" --input "$test_data" --trace "$out/here.txt" --output "$out/here.csv"
qemu-aarch64-static "$arm_replay" "$model" "$out/here.txt" >"$out/aarch64.txt"
if ! cmp "$out/here.txt" "$out/aarch64.txt"; then
  echo "The numbers differ. That should never happen: please report it, with $out/here.txt and $out/aarch64.txt." >&2
  exit 1
fi
utterances=$(grep -c '^sequence' "$out/here.txt")
frames=$(grep -c ' layer 0 unit 0: ' "$out/here.txt")
numbers=$(grep -c '^step' "$out/here.txt")
echo "$utterances utterances, $frames frames: all $numbers numbers of all layers are the same to the bit on $(uname -m)"
echo "and under qemu-aarch64 (the last one: $(tail -n 1 "$out/here.txt"))"

step "The same classes and bits on a Cortex-M4, ten of the test utterances"
mkdir -p "$board"
awk -F, 'NR == 1 { print; next } $1 "" != last { last = $1 ""; n++ } n % 37 == 1' "$test_data" >"$board/ten.csv" # every 37th of 370
"$sluice" run "$int8" --input "$board/ten.csv" --trace "$board/trace.txt" --output "$board/answers.csv"
"$sluice" export "$int8" --core cortex-m4 --strip --self-test 1 --out "$board" --force >/dev/null
# The desk's trace becomes the board's input (layer 0) and its expected answers (the last layer, at
# the last step).
awk '/^sequence/ { names = names "\"" $2 "\", "; if (steps) ends = ends steps ", "; next }
  $4 == 0 { if ($6 + 0 == 0) { if (steps) frames = frames "},\n"; frames = frames "  {"; steps++ } frames = frames $7 ", " }
  END { printf "#include <stdint.h>\nconst char* const utterance_names[] = {%s};\nconst uint32_t utterance_ends[] = {%s};\n", names, ends steps
        printf "const int8_t utterance_frames[][12] = {\n%s}};\n", frames }' "$board/trace.txt" >"$board/utterances.h"
awk 'function show() { printf "utterance %s: class %d, logits%s\n", name, best, logits }
  /^sequence/ { if (name != "") show(); name = $2; next }
  $4 == 2 { unit = $6 + 0; if (unit == 0) { logits = ""; most = $7; best = 1 }
            if ($7 > most) { most = $7; best = unit + 1 } logits = logits " " $7 }
  END { show() }' "$board/trace.txt" >"$board/desk.txt"
quietly "$board/build.log" cmake --preset cortex-m4 -B "$board/build" -DSLUICE_FORMATS=int8 -DSLUICE_LAYERS="gru;dense" -DSLUICE_SPARSE=OFF \
  -DSLUICE_UTTERANCES="$PWD/$board"
quietly "$board/build.log" cmake --build "$board/build" --target utterances
qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none -semihosting-config enable=on,target=native -icount shift=0 \
  -kernel "$board/build/bin/utterances.elf" >"$board/board.txt" 2>&1
if ! head -n 10 "$board/board.txt" | cmp - "$board/desk.txt"; then
  echo "The board's answers differ. That should never happen: please report it, with $board." >&2
  exit 1
fi
cut -d, -f1 "$board/desk.txt"
echo "All ten classes and ninety logits are the same here and on the emulated board, which also passed the blob's own test."
tail -n 1 "$board/board.txt"
cmake -DMAP="$board/build/tests/firmware/utterances.map" -P tests/firmware/size.cmake 2>&1

cat <<END

== Next steps
  $sluice train $recipe --out run2 --seed 2 --set model.dropout.output=0.3
  $sluice run $model --input $test_data
  $sluice bench $model
  $sluice inspect $int8 --core cortex-m0              # its cost on a board, before flashing
  $sluice export $int8 --core cortex-m4 --out firmware # model.h and model.c for a device
  bash tests/run.sh                                   # every test, on ten targets
README.md shows the ten lines of C that run it.
END
