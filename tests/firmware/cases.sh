#!/usr/bin/env bash
# Makes the cases that the Cortex-M presets run: trained models, with the scalar kernels' answers to
# made-up frames.
#   cases.sh OUT MAKE_CASE SLUICE
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
recipe=$repository/tools/recipes/japanese-vowels.toml
out=$1 make_case=$2 sluice=$3
rm -rf "$out" "$out-runs"
mkdir -p "$out" "$out-runs"

# trained NAME SETTING...: a case of the recipe with these settings.
trained() {
  local name=$1
  shift
  "$sluice" train "$recipe" --out "$out-runs/$name" "$@" >"$out-runs/$name.log" 2>&1 || { cat "$out-runs/$name.log"; exit 1; }
  "$make_case" "$out/$name" "$out-runs/$name/model.slu"
}

trained japanese-vowels
# Two GRUs whose units fill no panel.
trained stacked --set train.epochs=1 --set 'model.layers=[{gru=21},{gru=5},{dense=9,activation="softmax"}]'

for format in int8 w8a16; do
  quantized=$out-runs/japanese-vowels-$format.slu
  "$sluice" quantize "$out-runs/japanese-vowels" --calibrate "${recipe%.toml}/train.csv" --type $format \
    --out "$quantized" >/dev/null
  "$make_case" "$out/japanese-vowels-$format" "$quantized"
  "$make_case" "$out/$format-40-64" $format 40 gru 64
  "$make_case" "$out/$format-128-256" $format 128 gru 256
  "$make_case" "$out/$format-stacked" $format 13 gru 21 gru 5 dense 9
  "$make_case" "$out/$format-sparse-50-100-10" $format sparse 50 gru 100 dense 10
done
for format in f32 int8 w8a16; do
  "$make_case" "$out/$format-24-48" $format 24 gru 48
  "$make_case" "$out/$format-50-100-10" $format 50 gru 100 dense 10
done
for format in f32 int8 w8a16; do
  "$make_case" "$out/$format-graph" $format graph
  "$make_case" "$out/$format-frame-sum" $format frame-sum
  "$make_case" "$out/$format-difference" $format 10 difference 10 gru 12 dense 3
  "$make_case" "$out/$format-heads" $format heads
  "$make_case" "$out/$format-low-rank" $format 24 gru.6 20 lstm.5 17 gru_before.7 16 fastgrnn.8 21 rnn.11 12 dense 4
  "$make_case" "$out/$format-start" $format 14 gru+start 21 lstm+start.5 9 gru_before+start 8 fastgrnn+start 10 dense 4
  "$make_case" "$out/$format-activations" $format 14 tanh 90 gru 12 sigmoid 20 relu 30 softmax 6
done
# Windows over steps, convolutions inside a frame, pooling.
for format in f32 int8 w8a16; do
  "$make_case" "$out/$format-convolution" $format 10 padded 24 relu@6 5 max_pool@3 5 window.2 3 tanh@3 8 norm_pool@2 6 gru 12 mean_pool@2 3 window 2 dense 4
  "$make_case" "$out/$format-strides" $format 10 window/2 3 relu 9 window/2 2 max_pool@1 9 gru 7 dense 3
done
"$make_case" "$out/f32-levels" f32 12 softplus 12 curve+log 12 curve+sqrt 12 prelu@3 4 curve+prelu 12 unit_norm 12
for format in int8 w8a16; do
  for cell in lstm rnn gru_before fastgrnn; do "$make_case" "$out/$format-$cell" $format 24 $cell 48; done
  "$make_case" "$out/$format-fastgrnn-stacked" $format 12 fastgrnn 16 fastgrnn 9 softmax 6
  "$make_case" "$out/$format-cells-stacked" $format 12 lstm 16 relu 7 rnn 24 gru_before 9 gru 11 softmax 6
done
# Candidates other than tanh, gates of a hard sigmoid, the activations of a Dense.
for format in int8 w8a16; do
  "$make_case" "$out/$format-curves" $format 14 gru+relu+hard 21 lstm+linear 11 gru_before+hard 9 rnn+relu 10 lstm+relu+hard.5 9 gru+linear.4 8 dense 4
done
"$make_case" "$out/f32-curves" f32 14 gru+relu+hard 21 lstm+proj+peek+clip+relu 12 lstm+linear 11 gru_before+selu 9 rnn+softsign 10 lstm+relu.5 9 gru+linear.4 8 dense 4
"$make_case" "$out/f32-curved-dense" f32 14 elu 13 leaky_relu 12 prelu 11 silu 10 gelu 9 gelu_tanh 9 softplus 8 clip 8 softsign 7 selu 7 hard_silu 6 exponential 5
"$make_case" "$out/f32-fastgrnn" f32 24 fastgrnn 48
"$make_case" "$out/f32-lstm-options" f32 14 lstm+peek 21 lstm+clip 9 lstm+proj 11 lstm+proj+peek+clip+start.4 8 dense 4
"$make_case" "$out/f32-lstm" f32 24 lstm 48
"$make_case" "$out/f32-standardized" f32 180 standardize 180 gru 10
# The golden set, which every other target runs too.
for format in int8 w8a16; do
  "$make_case" "$out/golden-$format" $format 13 gru 21 relu 11 gru 5 tanh 9 dense 4
  "$make_case" "$out/golden-$format-sparse" $format sparse 13 gru 21 relu 11 gru 5 tanh 9 dense 4
  "$make_case" "$out/golden-cells-$format" $format 13 lstm 21 gru_before 10 rnn 9 dense 4
  "$make_case" "$out/golden-ids-$format" $format 30 embedding 13 lstm 11 dense 7
  "$make_case" "$out/golden-curves-$format" $format 13 gru+relu+hard 21 lstm+linear 10 gru_before+hard 9 rnn+relu 9 lstm+hard 8 dense 4
  for set in $format $format-sparse cells-$format ids-$format curves-$format; do
    for kind in slu in out; do
      cmp "$out/golden-$set.$kind" "$repository/tests/golden/fixed-$set.$kind" ||
        { echo "the golden set is another; if the definition changed, take $out/golden-$set.$kind"; exit 1; }
    done
  done
done
# Shapes that bench/firmware.sh does not fit its costs to.
for name in stacked japanese-vowels{,-int8,-w8a16} {int8,w8a16}-stacked f32-standardized {f32,int8,w8a16}-{24-48,50-100-10,activations,graph,frame-sum,difference,heads,low-rank,start,convolution,strides} \
  {int8,w8a16}-{lstm,rnn,gru_before,cells-stacked,sparse-50-100-10,curves} f32-{lstm,curves,curved-dense,lstm-options,levels} golden-{cells,ids}-{int8,w8a16}; do
  touch "$out/$name.unfitted"
done
"$make_case" --train "$out/train"
ls "$out"
