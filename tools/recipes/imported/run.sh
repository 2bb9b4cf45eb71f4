#!/usr/bin/env bash
# Public models from their own files to firmware: imports a model, makes frames of recordings,
# quantizes it on them, says how far the answers move, and runs it on an emulated board.
#   bash tools/recipes/imported/run.sh silero|dtln|amp MODEL RECORDINGS [TYPE [CORE]]
# MODEL is silero_vad_16k_op15.onnx, DTLN's model_1.onnx, or an amplifier's JSON. RECORDINGS is a
# folder of WAV files of 16 bits at 8 kHz, such as the Free Spoken Digit Dataset's. TYPE is w8a16,
# int8 or f32; CORE is cortex-m4, cortex-m7 or the like.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source tools/install.sh
[ $# -ge 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
kind=$1 model=$2 recordings=$3 type=${4:-w8a16} core=${5:-cortex-m7}
case $kind in
  silero) most=400 options=(--frame 576 --outputs speech) hop="32 ms" ;;
  dtln) most=300 options=() hop="8 ms" ;;
  amp) most=20000 options=() hop="1/44,100 s" ;;
  *) echo "$kind: is not one of silero, dtln and amp" >&2; exit 2 ;;
esac
[ -e "$model" ] || { echo "$model: no such file" >&2; exit 2; }
mapfile -t files < <(find "$recordings" -name '*.wav' | sort | awk 'NR % 60 == 1')
[ ${#files[@]} -gt 0 ] || { echo "$recordings: holds no .wav files" >&2; exit 2; }
need_packages "${host_packages[@]}" "${import_packages[@]}" gcc-arm-none-eabi libnewlib-arm-none-eabi \
  libstdc++-arm-none-eabi-newlib qemu-system-arm

out=build/imported/$kind-$type
mkdir -p "$out/cases"
quietly "$out/host.log" cmake --preset release
quietly "$out/host.log" cmake --build --preset release --target sluice make_case
sluice=build/release/bin/sluice

echo "== the model"
"$sluice" import "$model" --out "$out/model.slu" --force "${options[@]}"
"$sluice" inspect "$out/model.slu" | sed -n '/MACs a step/,/^ *sum/p'

echo "== frames of ${#files[@]} recordings, and the float model's answers to them"
size_of() { "$sluice" inspect "$out/model.slu" --json | sed -n "s/^ *\"$1\": \([0-9]*\).*/\1/p" | head -n 1; }
awk -v kind="$kind" -v most=$most -v inputs="$(size_of inputs)" -f tools/recipes/imported/frames.awk >"$out/x.csv" \
  < <(for file in "${files[@]}"; do od -An -v -t d2 -w2 -j 44 "$file" 2>/dev/null; echo; done)
"$sluice" run "$out/model.slu" --input "$out/x.csv" --every-step --output "$out/y.csv"
outputs=$(size_of outputs)
cut -d, -f 3-$((2 + outputs)) "$out/y.csv" | paste -d, "$out/x.csv" - >"$out/data.csv"
wc -l <"$out/data.csv" | awk '{ printf "%d frames\n", $1 - 1 }'

firmware=$out/model.slu
if [ "$type" != f32 ]; then
  firmware=$out/model-$type.slu
  "$sluice" quantize "$out/model.slu" --calibrate "$out/data.csv" --ranges min-max --type "$type" --out "$firmware" --force |
    sed -n '/^bytes/,/^scratch/p'
  echo "== $type against float"
  "$sluice" eval "$firmware" --data "$out/data.csv" |
    sed -n '1p;/^MSE/,/^MAE/p;/^mean/p'
fi

echo "== on a $core under QEMU"
build/release/bin/make_case "$out/cases/$kind" "$firmware"
quietly "$out/firmware.log" cmake --preset "$core" -B "$out/$core" -DSLUICE_CASES="$PWD/$out/cases"
quietly "$out/firmware.log" cmake --build "$out/$core" --target "case-$kind"
ctest --test-dir "$out/$core" -V -R "^case-$kind\$" | sed -n "s/^[0-9]*: \($kind: .*\)/\1/p"
arm-none-eabi-size "$out/$core/bin/case-$kind.elf" | awk 'NR == 2 { printf "program, model and frames: %d bytes of flash\n", $1 + $2 }'
echo "a frame comes every $hop"
