#!/usr/bin/env bash
# sluice import: every model in golden/import answers as the program that wrote it; models in the
# folder shared/ beside the project, if it is there; files that cannot be read are refused by name.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
golden=$repository/tests/golden/import
shared=$repository/../shared

# agrees FILE X Y [OPTION...]: the model in FILE answers X with Y.
agrees() {
  local file=$1 x=$2 y=$3
  shift 3
  works import "$file" --out model.slu --force --check "$x" "$y" "$@"
  grep -q "^agrees with $y: " out || complain "$file: no agreement: $(cat out err)"
}

# --- the models that PyTorch wrote
count=0
for x in "$golden"/torch/*.x.npy; do
  name=${x%.x.npy}
  for file in "$name".*; do
    options=()
    case $file in
      *.npy | *.toml) continue ;;
      *.script.pt | *.trace.pt | *.json) ;;
      *) options=(--layers "$name.toml") ;;
    esac
    agrees "$file" "$x" "$name.y.npy" ${options[@]+"${options[@]}"}
    count=$((count + 1))
  done
done
[ "$count" -eq 51 ] || complain "$count files of PyTorch, not 51"

# --- the models that PyTorch's exporters wrote as ONNX, and others made by hand
has_onnx() { ! "${sluice[@]}" import "$golden/onnx/op_gru_after.onnx" --explain 2>&1 | grep -q 'without ONNX'; }
if has_onnx; then
  count=0
  for x in "$golden"/onnx/*.x.npy; do
    name=${x%.x.npy}
    for file in "$name".*onnx; do
      agrees "$file" "$x" "$name.y.npy"
      count=$((count + 1))
    done
  done
  [ "$count" -eq 70 ] || complain "$count files of ONNX, not 70"
  refused 2 'joins every step with the last one, or with a number over all of them$' import "$golden/onnx/refused_mixed.onnx" --out no.slu
  refused 2 'ReduceMean.: goes over dimension 0, which is not that of the steps$' import "$golden/onnx/refused_batch.onnx" --out no.slu
  refused 2 'Softmax.: goes over dimension 0, which is not that of the steps$' import "$golden/onnx/refused_softmax.onnx" --out no.slu
else
  echo "skipped, built without ONNX: .onnx"
fi

# --- the models that TensorFlow wrote: TFLite files and frozen graphs
count=0
for x in "$golden"/tensorflow/*.x.npy; do
  name=${x%.x.npy}
  for file in "$name".tflite "$name".pb; do
    [ -e "$file" ] || continue
    options=()
    # TFLite's interpreter rounds the inputs of layers whose weights are integers.
    case $name in
      */middle) continue ;;
      *hybrid | *int8) options=(--tolerance 0.01) ;;
    esac
    agrees "$file" "$x" "$name.y.npy" ${options[@]+"${options[@]}"}
    count=$((count + 1))
  done
done
[ "$count" -eq 34 ] || complain "$count files of TensorFlow, not 34"
refused 2 'its output StatefulPartitionedCall:0 is one step of a sequence, which is not the last one$' \
  import "$golden/tensorflow/middle.tflite" --out no.slu
works import "$golden/tensorflow/labels.tflite" --out model.slu --force
works inspect model.slu --json
tr -d ' \n' <out | grep -q '"labels":\["up","down","left","right"\]' || complain "no names of classes: $(head -c 400 out)"
works import "$golden/tensorflow/fused_int8.tflite" --explain
grep -q '^its integers became floats: ' out || complain "no remark on integers: $(cat out)"
grep -q 'clips its cell.s state at 10, which is left out' out || complain "no remark on the clip: $(cat out)"
grep -q 'UNIDIRECTIONAL_SEQUENCE_LSTM)  *layer 1: lstm' out || complain "no account of the layers: $(cat out)"

# --- the imported model is one like those that are trained here
agrees "$golden/torch/last_step.script.pt" "$golden/torch/last_step.x.npy" "$golden/torch/last_step.y.npy" \
  --inputs ax,ay,az --outputs walk,run,sit
works inspect model.slu --json
grep -q '"input_names": *\[' out && tr -d ' \n' <out | grep -q '"input_names":\["ax","ay","az"\],"labels":\["walk","run","sit"\]' ||
  complain "the names are not in the model: $(head -c 300 out)"
awk 'BEGIN { print "sequence,label,ay,ax,az"
  for (s = 0; s < 30; s++) for (t = 0; t < 6; t++)
    printf "s%d,%s,%.3f,%.3f,%.3f\n", s, s % 3 == 0 ? "walk" : s % 3 == 1 ? "run" : "sit",
      (s * 7 + t * 3) % 11 / 5 - 1, (s * 5 + t) % 13 / 6 - 1, (s + t * t) % 9 / 4 - 1 }' >data.csv
works eval model.slu --data data.csv
works run model.slu --input data.csv
head -n 1 out | grep -q '^sequence,walk,run,sit,predicted,true' || complain "no answers by name: $(head -n 2 out)"
works quantize model.slu --calibrate data.csv --out small.slu
works eval small.slu --data data.csv
works export model.slu --out c
grep -q MODEL_HASH c/model.h || complain "no exported model"
# A standardization in front: the model then reads the numbers of data as they are.
printf 'feature,mean,deviation\nax,1,2\nay,-1,0.5\naz,0,4\n' >scales.csv
works import "$golden/torch/every_step.script.pt" --out scaled.slu --standardize scales.csv
works inspect scaled.slu
grep -q '^inputs: ax, ay, az$' out || complain "no names of inputs: $(cat out)"
grep -q '^1  standardize' out || complain "no standardization: $(head -n 5 out)"
works import "$golden/torch/every_step.script.pt" --explain
grep -q '^cell, layer 1  *layer 2: gru' out || complain "no account of the layers: $(cat out)"

# --- there and back: an imported model that is exported for other programs, and imported again
back() {
  local file=$1 name=$2
  shift 2
  works import "$file" --out model.slu --force "$@"
  if has_onnx; then
    works export model.slu --format onnx --out there --force
    agrees there/model.onnx "$name.x.npy" "$name.y.npy"
  fi
  works export model.slu --format safetensors --out there --force
  agrees there/model.safetensors "$name.x.npy" "$name.y.npy" --layers there/layers.toml
}
for case in every_step last_step last_step_both last_state last_state_lstm both_states dense residual mask policy; do
  back "$golden/torch/$case.script.pt" "$golden/torch/$case"
done
for case in prefixes both norm; do
  back "$golden/torch/$case.safetensors" "$golden/torch/$case" --layers "$golden/torch/$case.toml"
done
if has_onnx; then
  for case in op_gru_before op_gru_hard op_lstm_hard op_rnn_both packed unfolded op_gru_start op_lstm_start_c_both op_rnn_start_both; do
    back "$golden/onnx/$case.onnx" "$golden/onnx/$case"
  done
  for case in conv_steps conv_spectrum conv_planes conv_levels; do
    works import "$golden/onnx/$case.script.onnx" --out model.slu --force
    works export model.slu --format onnx --out there --force
    agrees there/model.onnx "$golden/onnx/$case.x.npy" "$golden/onnx/$case.y.npy"
  done
  # Peepholes, which PyTorch has not.
  works import "$golden/onnx/op_lstm_peepholes_start_both.onnx" --out model.slu --force
  works inspect model.slu
  grep -q '^1  lstm, peepholes, initial state' out || complain "no options of the layer: $(head -n 5 out)"
  works export model.slu --format onnx --out there --force
  agrees there/model.onnx "$golden"/onnx/op_lstm_peepholes_start_both.{x,y}.npy
  refused 2 'layer 1 \(lstm\): PyTorch has no peepholes; export it as onnx$' export model.slu --format safetensors --out none
  works import "$golden/torch/guitar_skip.json" --out model.slu --force
  works export model.slu --format onnx --out there --force
  agrees there/model.onnx "$golden/torch/guitar_skip.x.npy" "$golden/torch/guitar_skip.y.npy"
  # A model that was trained here, with its standardization.
  good_csv >train.csv
  good_recipe >recipe.toml
  works train recipe.toml --out run
  works export run --format onnx --out there --force
  works import there/model.onnx --out again.slu --inputs a,b --outputs down,up --set data.target=label
  works run run --input train.csv
  cut -d, -f1-3 out >here.csv
  works run again.slu --input train.csv
  cut -d, -f1-3 out | paste -d, here.csv - | awk -F, 'NR == 1 { if ($0 != "sequence,down,up,sequence,down,up") exit 1; next }
    { for (i = 2; i < 4; i++) { d = $i - $(i + 3); if (d * d > 1e-10) exit 1 } n++ } END { exit n != 12 }' ||
    complain "a trained model and the same through ONNX answer differently: $(head -n 3 here.csv)"
fi
# Keras's file, which HDF5 and a zip archive make.
works import "$golden/torch/every_step.script.pt" --out model.slu --force
if ! "${sluice[@]}" export model.slu --format keras --out there --force 2>&1 | grep -q 'this build is without'; then
  for case in every_step last_step last_step_both last_state last_state_lstm dense residual mask policy; do
    works import "$golden/torch/$case.script.pt" --out model.slu --force
    works export model.slu --format keras --out there --force
    agrees there/model.keras "$golden/torch/$case.x.npy" "$golden/torch/$case.y.npy"
  done
  works import "$golden/torch/started_both.script.pt" --out model.slu --force
  refused 2 'layer 1 \(lstm\): Keras has no projection of a cell$' export model.slu --format keras --out none
fi
# A projection and an initial state, of which ONNX has the second alone.
works import "$golden/torch/started_both.script.pt" --out model.slu --force
works inspect model.slu
grep -q '^1  lstm, projected from 5 cells, initial state' out || complain "no options of the layer: $(head -n 5 out)"
works export model.slu --format safetensors --out there --force
agrees there/model.safetensors "$golden"/torch/started_both.{x,y}.npy --layers there/layers.toml
refused 2 'layer 1: an LSTM with a projection, which ONNX has not$' export model.slu --format onnx --out none
refused 2 'layer 3 \(select\): a list of layers cannot say it; export it as onnx$' \
  export <("${sluice[@]}" import "$golden/torch/guitar_skip.json" --out guitar.slu >/dev/null; cat guitar.slu) \
  --format safetensors --out none
refused 2 'small.slu: is int8; onnx takes the float model that it was made of$' export small.slu --format onnx --out none
refused 2 '^--format onnx: is not for devices; leave out --core, --self-test and --strip$' \
  export model.slu --format onnx --out none --strip
absent none

# --- memory: a bad file takes at most four times its size beyond what the command takes for a small
# one, and an address space that is too small ends in one line
bounded() {
  local kilobytes=$1
  shift
  (ulimit -v "$kilobytes" && exec "${sluice[@]}" "$@") >out 2>err </dev/null
}
least=$((1 << 16)) most=$((1 << 22))  # kilobytes
until [ $((most - least)) -le 512 ]; do
  middle=$(((least + most) / 2))
  if bounded $middle import "$golden/torch/norm.safetensors" --layers "$golden/torch/norm.toml" --explain; then
    most=$middle
  else
    least=$middle
  fi
done
units=600 inputs=500
end=0 header=
for tensor in weight_ih_l0:$((3 * units)):$inputs weight_hh_l0:$((3 * units)):$units bias_ih_l0:$((3 * units)) bias_hh_l0:$((3 * units)); do
  IFS=: read -r name rows cols <<<"$tensor"
  begin=$end end=$((end + 4 * rows * ${cols:-1}))
  header+="${header:+,}\"cell.$name\":{\"dtype\":\"F32\",\"shape\":[$rows${cols:+,$cols}],\"data_offsets\":[$begin,$end]}"
done
header="{$header}" length=${#header}
{
  printf "\\x$(printf %02x $((length & 255)))\\x$(printf %02x $((length >> 8)))\\0\\0\\0\\0\\0\\0%s" "$header"
  head -c "$end" /dev/zero
} >large.safetensors
echo 'layers = [ { gru = 600 } ]' >large.toml
{ head -c -4 large.safetensors && printf '\0\0\xc0\x7f'; } >nan.safetensors
large=(large.safetensors)
works import large.safetensors --layers large.toml --out large.slu --force
for format in onnx keras; do
  "${sluice[@]}" export large.slu --format $format --out . --force >out 2>&1 &&
    mv model.$format large.$format && large+=(large.$format)
done
for file in "${large[@]}"; do
  head -c -10 "$file" >"cut.$file"
  head -c $(($(stat -c %s "$file") / 2)) "$file" >"half.$file"
done
for file in "${large[@]}" nan.* cut.* half.*; do
  options=()
  [[ $file != *.safetensors ]] || options=(--layers large.toml)
  bounded $((most + 4 * $(stat -c %s "$file") / 1024)) import "$file" --explain ${options[@]+"${options[@]}"}
  code=$? wanted=2
  [[ $file != large.* ]] || wanted=0
  [ $code -eq $wanted ] || complain "$file in four times its size: exit code $code, not $wanted: $(cat err)"
done
rm -f large.* nan.* cut.* half.*

# --- refusals
refused 2 'layer 1 \(gru\): no tensors fit it; "cell" does not: it has 3 layers; give repeat = 3$' \
  import "$golden/torch/three_layers.pth" --layers <(echo 'layers = [ { gru = 5 }, { dense = 2 } ]') --out no.slu
refused 2 'no layer uses the tensors of "rest.0"; list their layers too$' \
  import "$golden/torch/three_layers.safetensors" --layers <(echo 'layers = [ { gru = 5, repeat = 3 } ]') --out no.slu
refused 2 'layer 2: both "rest.0" and "rest.2" fit; say which by prefix = "rest.0"$' \
  import "$golden/torch/prefixes.pth" --layers <(echo 'layers = [ { lstm = 4 }, { dense = 4 }, { dense = 4 } ]') --out no.slu
refused 2 'give --layers FILE, .* layers = \[ \{ gru = 5, repeat = 3, prefix = "cell" \}, \{ dense = 2, prefix = "rest.0" \} \]$' \
  import "$golden/torch/three_layers.pth" --out no.slu
refused 2 'no tensor.s name begins with "body\."$' \
  import "$golden/torch/half.safetensors" --layers <(echo 'layers = [ { gru = 4, prefix = "body" }, { dense = 2 } ]') --out no.slu
refused 1 'does not answer as .*mask.y.npy says: 33 numbers .*; the tolerance is 2e-06, and no model was written$' \
  import "$golden/torch/residual.script.pt" --out no.slu --check "$golden/torch/residual.x.npy" "$golden/torch/mask.y.npy"
refused 2 'y.npy: 33 numbers, and the model has 2 outputs; give 2 for the last step of each of 1 sequences, or 22 for every step$' \
  import "$golden/torch/every_step.script.pt" --out no.slu --check "$golden/torch/mask.x.npy" "$golden/torch/mask.y.npy"
refused 2 'x.npy: of shape \[1\]\[11\]\[1\], and the model has 3 inputs; ' \
  import "$golden/torch/every_step.script.pt" --out no.slu --check "$golden/torch/aida.x.npy" "$golden/torch/aida.y.npy"
refused 2 '^sluice import: give --out, a file for the model, or --explain$' import "$golden/torch/aida.json"
refused 2 '^--inputs: 2 names, and .* has 3; give one for each$' \
  import "$golden/torch/mask.script.pt" --inputs a,b --out no.slu
refused 2 '^--set train.epochs=3: not a key of data; ' import "$golden/torch/mask.script.pt" --set train.epochs=3 --out no.slu
printf 'feature,mean,deviation\nax,1,2\nay,-1,0\naz,0,4\n' >bad.csv
refused 2 '^bad.csv:3: "ay,-1,0" is not "feature,mean,deviation" with a deviation above 0$' \
  import "$golden/torch/mask.script.pt" --standardize bad.csv --out no.slu
printf '' >empty.pt
refused 2 '^empty.pt: is empty; give ' import empty.pt --out no.slu
printf '\010\001\022 and more than sixteen bytes' >saved_model.pb
refused 2 '^saved_model.pb: a SavedModel, whose weights are in other files; ' import saved_model.pb --out no.slu
printf 'hello' >hello.onnx
refused 2 '^hello.onnx: not a model that is read; give ' import hello.onnx --out no.slu
printf '{"in_shape": [null, 1], "layers": [{"type": "conv2d", "shape": [4]}, {"type": "wavenet", "shape": [2]}]}' >two.json
refused 2 '^two.json: layer 1 \(conv2d\): there is no such layer here; layer 2 \(wavenet\): there is no such layer here$' \
  import two.json --out no.slu
printf '{"model_data": {"unit_type": "LSTM", "hidden_size": 1}, "state_dict": {"rec.weight_ih_l0": [[1], [NaN]]}}' >nan.json
refused 2 '^nan.json:1: not JSON after ' import nan.json --out no.slu
sed 's/"shape": \[null, null, 4\]/"shape": [null, null, 3]/' "$golden/torch/rtneural_gru.json" >shape.json
refused 2 'weights\[0\]: has the shape \[1\]\[12\], and a layer of this "shape" behind 1 outputs needs \[1\]\[9\]; the file contradicts itself$' \
  import shape.json --out no.slu
absent no.slu
cp "$golden/torch/aida.json" kept.slu
refused 2 '^--out kept.slu: exists; choose another name, or replace it with --force$' import "$golden/torch/aida.json" --out kept.slu
same "$golden/torch/aida.json" kept.slu "a file and the same after a refusal"

# --- public models
if [ -d "$shared/import-cases" ]; then
  cases=$shared/import-cases models=$shared/data/models
  agrees "$cases/18_guitar_skip/model.json" "$cases/18_guitar_skip/x.npy" "$cases/18_guitar_skip/y.npy"
  echo 'layers = [ { gru = 5, repeat = 3 }, { dense = 1 } ]' >three.toml
  for file in model.safetensors model.json; do
    agrees "$cases/04_torch_three_layers/$file" "$cases/04_torch_three_layers/x.npy" \
      "$cases/04_torch_three_layers/y.npy" --layers three.toml
  done
  for file in rtneural/gru.json klon-centaur/centaur.json klon-centaur/centaur_large.json anydrive-actuator/anydrive_v3_lstm.pt nam-lstm/lstm.nam; do
    works import "$models/$file" --out model.slu --force
  done
  if has_onnx; then
    gru=$cases/01_torch_dynamo_gru step=$cases/13a_torch_lstm_cell_step two=$cases/11_onnx_gru_bidirectional
    for file in dynamo torchscript; do agrees "$gru/$file.onnx" "$gru/x.npy" "$gru/y.npy"; done
    refused 2 'a GRU of PyTorch without linear_before_reset, .* say --reset after \(PyTorch.s\), or --reset before' \
      import "$gru/as_written_by_onnxscript_0.6.2.onnx" --out no.slu
    agrees "$gru/as_written_by_onnxscript_0.6.2.onnx" "$gru/x.npy" "$gru/y.npy" --reset after
    for file in dynamo model; do agrees "$step/$file.onnx" "$step/x.npy" "$step/y.npy"; done
    agrees "$two/model.onnx" "$two/x.npy" "$two/y_Y.npy"
    start=$cases/11_onnx_lstm_initial_state
    agrees "$start/model.onnx" "$start/x.npy" "$start/y_Y.npy"
    for file in dtln/model_1.onnx dtln/model_2.onnx; do works import "$models/$file" --out model.slu --force; done
  fi
  for file in GRU_S Basic_LSTM_S; do
    agrees "$models/ml-kws-for-mcu/$file.pb" "$golden/tensorflow/$file.x.npy" "$golden/tensorflow/$file.y.npy"
    grep -q '^Mfcc (Mfcc): the features of sound are the model.s input; ' out || complain "$file: no remark: $(cat out)"
    works inspect model.slu --json
    tr -d ' \n' <out | grep -q '"inputs":10,"outputs":12' || complain "$file: $(head -c 300 out)"
  done
  for file in trained_lstm trained_lstm_int8; do
    works import "$models/tflm/$file.tflite" --out model.slu --force
  done
  works import "$models/tflm/micro_speech_lstm.tflite" --out model.slu --force
  refused 2 'bad_lstm.json: layer 1 \(lstm\): weights\[0\]: has the shape \[1\]\[80\], .* needs \[1\]\[64\]; the file contradicts itself$' \
    import "$models/rtneural/bad_lstm.json" --out no.slu
else
  echo "skipped: shared/import-cases, which is absent"
fi
finish
