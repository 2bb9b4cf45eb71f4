#!/usr/bin/env bash
# Fixed point from the command line: quantizing, the same bytes and answers everywhere, reports,
# budgets, orders of weights, traces; and every wrong request.
#   ISAS, ROLE, REFERENCE as in runs.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

vowels=$repository/tools/recipes/japanese-vowels
awk -F, 'NR == 1 || $1 % 9 == 0' "$vowels/train.csv" >train.csv
awk -F, 'NR == 1 || $1 % 20 == 0' "$vowels/test.csv" >test.csv
cat >recipe.toml <<'END'
[data]
train = "train.csv"
validation = 0.3
[model]
layers = [ { gru = 12, steps = "every" }, { gru = 9 }, { dense = 9, activation = "softmax" } ]
[train]
epochs = 30
batch = 4
learning_rate = 2e-2
threads = 1
END
works train recipe.toml --out run
field() { sed -n "s/^ *\"$2\": \\([-0-9.e]*\\),*\$/\\1/p" "$1" | head -n 1; }
hash() { "${sluice[@]}" inspect "$1" --json 2>/dev/null | grep '"hash"'; }

# --- the same bytes and the same answers, whatever the instruction set; the files agree with the
# report
for type in int8 w8a16; do
  works quantize run --type $type --calibrate train.csv --report $type.json
  [ -e run/model-$type.slu ] || complain "quantize leaves no run/model-$type.slu"
  cp run/model-$type.slu $type.slu
  for isa in $ISAS; do
    if SLUICE_ISA=$isa "${sluice[@]}" inspect run/model.slu >/dev/null 2>&1; then
      SLUICE_ISA=$isa works quantize run/model.slu --type $type --calibrate train.csv --out $type-$isa.slu
      same $type.slu $type-$isa.slu "quantized on $isa"
      SLUICE_ISA=$isa works run $type.slu --input test.csv --every-step --hex --output $type-$isa.csv
      [ -e $type.csv ] || cp $type-$isa.csv $type.csv
      same $type.csv $type-$isa.csv "$type answers on $isa"
    fi
  done
  if [ "$ROLE" = native ]; then
    mkdir -p "$REFERENCE-fixed" && cp $type.slu $type.csv "$REFERENCE-fixed"
  elif [ -e "$REFERENCE-fixed/$type.slu" ]; then
    for file in $type.slu $type.csv; do same $file "$REFERENCE-fixed/$file" "$file here and natively"; done
  else
    echo "skipped: nothing to compare with; run the native tests first"
  fi
  works eval run/model.slu --data train.csv --json && cp out float.json
  works eval $type.slu --data train.csv --json && cp out eval.json
  awk -v a="$(field float.json accuracy)" -v b="$(field eval.json accuracy)" 'BEGIN { exit !(a > 0.6 && b > a - 0.05) }' ||
    complain "$type: accuracy $(field eval.json accuracy), float $(field float.json accuracy)"
  grep -q '"snr_db"' $type.json && grep -q '"saturated"' $type.json || complain "the report says nothing of noise: $(head -n 5 $type.json)"
done
works quantize run --calibrate train.csv --ranges percentile --out percentile.slu
grep -q 'percentile.*chosen' out || complain "--ranges percentile chooses another: $(head -n 8 out)"

# --- data that leaves the calibrated range saturates, and is named; so is a feature that changes
# though it never did
awk -F, -v OFS=, 'NR > 1 { $3 *= 3; $5 = NR % 2 } 1' test.csv >wide.csv
awk -F, -v OFS=, 'NR > 1 { $5 = 0.5 } 1' train.csv >still.csv
works train recipe.toml --set data.train=still.csv --set train.epochs=2 --out still
works quantize still --calibrate still.csv
grep -q 'warning: c3: is 0.5 in all calibration data' err || complain "a constant feature: $(cat err)"
works eval still/model-int8.slu --data still.csv
! grep -q 'c3' err || complain "a warning for the data of the calibration: $(cat err)"
for command in 'eval still/model-int8.slu --data' 'run still/model-int8.slu --input'; do
  works $command wide.csv
  grep -q 'warning: c1: [0-9.]* % of its values in wide.csv are outside' err && grep -q 'warning: c3: was constant in the calibration data, but not in wide.csv' err ||
    complain "$command: data outside the range: $(cat err)"
done
works run still/model.slu --input wide.csv
[ ! -s err ] || complain "a float model warns: $(cat err)"

# --- trained for fixed point: the same bytes on any instruction set, for any number of threads; the
# run's model is the device's
aware() { works train recipe.toml --set quantize.aware=true --set train.epochs=8 --out "$@" && cp out out.train; }
aware aware --set train.patience=8
for isa in $ISAS; do
  if SLUICE_ISA=$isa "${sluice[@]}" inspect run/model.slu >/dev/null 2>&1; then
    SLUICE_ISA=$isa aware aware-$isa --threads 2 --set train.patience=8
    for file in model.slu model-f32.slu log.jsonl; do same aware/$file aware-$isa/$file "trained for int8 on $isa"; done
  fi
done
works inspect aware/model.slu --core cortex-m4
works inspect aware/model-f32.slu
grep -q 'f32' out || complain "model-f32.slu: $(head -n 3 out)"
grep -q 'model-f32.slu beside it' out.train || complain "train says nothing of the float weights: $(tail -n 2 out.train)"
grep -q '"quantized":.*min-error' aware/model.slu || complain "the model does not say how it was quantized"
refused 2 'aware/model.slu.*is int8 already' quantize aware --calibrate train.csv
aware aware --force --set quantize.type=w8a16
works inspect aware/model.slu
grep -q 'w8a16' out || complain "quantize.type: $(head -n 3 out)"
works train recipe.toml --set train.epochs=1 --out aware --force
[ ! -e aware/model-f32.slu ] || complain "a float run leaves the model-f32.slu of the run before"
refused 2 'quantize.type.*int4.*int8' train recipe.toml --set quantize.type=int4 --out no
refused 2 'quantize.ranges' train recipe.toml --set quantize.ranges=best --out no
refused 2 'softmax in front of another layer' train recipe.toml --set quantize.aware=true \
  --set 'model.layers=[{dense=4,activation="softmax"},{gru=4},{dense=9,activation="softmax"}]' --out no
[ ! -e no ] || complain "a refused training leaves a folder"

# --- its costs
works inspect int8.slu
grep -q 'int8' out || complain "inspect does not say the type: $(head -n 3 out)"
works inspect int8.slu --core cortex-m4 --mhz 64
grep -q 'instructions a step' out && grep -q 'microseconds' out || complain "inspect --core: $(cat out)"
works inspect int8.slu --core cortex-m4 --json && cp out cost.json
flash=$(field cost.json flash) ram=$(field cost.json ram) instructions=$(field cost.json instructions_per_step)
works export int8.slu --strip --format slu --out stripped
[ "$flash" = "$(wc -c <stripped/model.slu)" ] || complain "flash $flash, but the stripped blob has $(wc -c <stripped/model.slu)"
works inspect int8.slu --core cortex-m4 --fits "flash=$flash,ram=$ram,instructions=$instructions"
grep -q "fits: flash" out || complain "--fits does not say that it fits: $(tail -n 2 out)"
works inspect int8.slu --core cortex-m4 --fits "flash=1MiB, ram=64KiB, flash_total=1MiB,ram_total=64 KiB"
for limit in "flash=$((flash - 1))" "ram=$((ram - 1))" "instructions=$((instructions - 1))" "flash_total=$flash" "ram_total=$ram"; do
  "${sluice[@]}" inspect int8.slu --core cortex-m4 --fits "$limit" >out 2>err
  code=$?
  { [ $code -eq 1 ] && grep -q "${limit%%=*} .* more than" err; } || complain "--fits $limit: exit code $code, $(cat err)"
done

# --- a run's folder stands for its model; its device is told; calibration data of another scale are
# named
works eval run --data test.csv
works train recipe.toml --out fitting --set train.epochs=1 --set device.core=cortex-m4 --set device.flash=1MiB
grep -q 'cortex-m4, int8: flash .* of 1,048,576 bytes' out && grep -q 'make it int8 with: sluice quantize fitting' out ||
  complain "train does not tell of the device: $(tail -n 3 out)"
awk -F, -v OFS=, 'NR > 1 { $3 *= 10 } 1' train.csv >scaled.csv
works quantize run --calibrate scaled.csv --out scaled.slu
grep -q 'warning: c1: its values are spread [0-9.]* times as wide' err || complain "scaled data: $(cat err)"

# --- a core's order of weights: the command turns it back by itself, and nothing changes
for core in cortex-m0 cortex-m4 cortex-m33 cortex-m55; do
  works export int8.slu --format slu --core $core --self-test 2 --out $core
  different stripped/model.slu $core/model.slu "the order of $core"
  [ "$(hash int8.slu)" = "$(hash $core/model.slu)" ] || complain "the order of $core changes what the model computes"
  works run $core/model.slu --input test.csv --every-step --hex --output $core.csv
  same int8.csv $core.csv "answers of the blob for $core"
done
works export int8.slu --core cortex-m4 --out c
grep -q 'MODEL_BLOB_BYTES' c/model.h || complain "export --core writes no header"
works export cortex-m55/model.slu --format slu --strip --out back
works export int8.slu --format slu --strip --self-test 2 --out tested
same back/model.slu tested/model.slu "a blob for a core, exported again without one"

# --- pruned: stored sparse if that is smaller, which is told; sparse for every core, and the same
# answers on every instruction set
works train recipe.toml --out pruned --set train.prune=0.8 --set train.prune_every=2 --set 'model.layers=[{gru=40},{dense=9,activation="softmax"}]'
grep -q '^Zero blocks of 8 x 4 weights, by recurrent layers: 80' out || complain "train does not tell what is pruned: $(cat out)"
for type in int8 w8a16; do
  works quantize pruned --calibrate train.csv --type $type --report pruned.json
  grep -q '^layer 1 (gru) is stored sparse, for 8.* of its blocks' out || complain "quantize does not tell of sparse layers: $(cat out)"
  grep -A 2 '"sparse"' pruned.json | tr -d ' \n' | grep -q '"sparse":\[true,false' || complain "the report does not tell: $(grep -A 3 sparse pruned.json)"
  model=pruned/model-$type.slu
  for isa in $ISAS; do
    if SLUICE_ISA=$isa "${sluice[@]}" inspect $model >/dev/null 2>&1; then
      SLUICE_ISA=$isa works run $model --input test.csv --hex --output pruned-$isa.csv
      [ -e pruned-$type.csv ] || cp pruned-$isa.csv pruned-$type.csv
      same pruned-$type.csv pruned-$isa.csv "a sparse model's answers on $isa"
    fi
  done
  works inspect $model
  grep -q '^layer 1 (gru) is sparse: it stores .* blocks' out || complain "inspect does not tell of sparse layers: $(cat out)"
  works inspect $model --core cortex-m4 --json
  flash=$(field out flash)
  for core in cortex-m4 cortex-m55; do
    works export $model --format slu --strip --force --core $core --out pruned-$core
    [ "$flash" = "$(wc -c <pruned-$core/model.slu)" ] || complain "flash $flash, but the blob for $core has $(wc -c <pruned-$core/model.slu)"
    [ "$(hash $model)" = "$(hash pruned-$core/model.slu)" ] || complain "the order of $core changes a sparse model"
    works export $model --format slu --force --core $core --out pruned-$core
    works run pruned-$core/model.slu --input test.csv --hex --output pruned-$core.csv
    same pruned-$type.csv pruned-$core.csv "a sparse blob for $core"
  done
  works export $model --core cortex-m0 --self-test 2 --out pruned-c --force
  works run $model --input test.csv --trace trace.csv
  works eval $model --data train.csv
done

# --- traces: a line for each value, in the order in which values are computed
for file in run/model.slu int8.slu; do
  works run $file --input test.csv --trace trace.txt
  grep -q '^step 0 layer 0 unit 11: ' trace.txt && grep -q '^sequence ' trace.txt || complain "a trace of $file: $(head -n 3 trace.txt)"
done
frames=$(($(wc -l <test.csv) - 1)) sequences=$(tail -n +2 test.csv | cut -d, -f1 | uniq | wc -l)
[ "$(wc -l <trace.txt)" -eq $((sequences + frames * (12 + 12 + 9 + 9))) ] || complain "$(wc -l <trace.txt) lines of trace"

# --- a feature that never changes, a feature that is zero: a warning each by name, and a model that
# works
awk -F, -v OFS=, 'NR == 1 { print $0, "still", "zero"; next } { print $0, 7.5, 0 }' train.csv >dull.csv
works train recipe.toml --out dull --set data.train=dull.csv --set train.epochs=2
"${sluice[@]}" quantize dull --calibrate dull.csv >out 2>err || complain "quantize with dull features: $(cat err)"
grep -q 'warning: still: is 7.5' err && grep -q 'warning: zero: is 0' err || complain "no warning for dull features: $(cat err)"
works eval dull/model-int8.slu --data dull.csv

# --- wrong requests
refused 2 'int8\.slu: is int8 already' quantize int8.slu --calibrate train.csv --out x.slu
refused 2 'nothing\.csv: .*no such file' quantize run --calibrate nothing.csv --out x.slu
refused 2 'nothing: .*no such file' quantize nothing --calibrate train.csv --out x.slu
cut -d, -f1-13 train.csv >narrow.csv
refused 2 'narrow\.csv:1: ' quantize run --calibrate narrow.csv --out x.slu
sed '2,$s/,[1-9],/,nobody,/' train.csv >strange.csv
refused 2 'strange\.csv:2: .*nobody' quantize run --calibrate strange.csv --out x.slu
head -n 20 train.csv >short.csv
refused 2 'short\.csv: .*too few' quantize run --calibrate short.csv --out x.slu
refused 2 'type' quantize run --type int4 --calibrate train.csv --out x.slu
refused 2 'ranges' quantize run --ranges wide --calibrate train.csv --out x.slu
refused 2 'calibrate' quantize run
echo mine >other.slu
refused 2 'other\.slu: exists.*--force' quantize run --calibrate train.csv --out other.slu
refused 2 'cortex-m9' inspect int8.slu --core cortex-m9
refused 2 'M4: .*did you mean cortex-m4' inspect int8.slu --core M4
refused 2 'cortex-m0 has no float' export run/model.slu --core cortex-m0 --out x
refused 2 'instructions=16KiB' inspect int8.slu --core cortex-m4 --fits instructions=16KiB
refused 2 '--output run/model.slu: is a model' run int8.slu --input test.csv --output run/model.slu
refused 2 '--report run/model.slu: is a model' quantize int8.slu --calibrate train.csv --report run/model.slu
refused 2 '--fits needs --core' inspect int8.slu --fits flash=1KiB
refused 2 '--mhz fast' inspect int8.slu --core cortex-m4 --mhz fast
refused 2 'flsh' inspect int8.slu --core cortex-m4 --fits flsh=1KiB
refused 2 'flash=lots' inspect int8.slu --core cortex-m4 --fits flash=lots
refused 2 'cortex-m0 has no float' inspect run/model.slu --core cortex-m0
refused 2 'cortex-m9' export int8.slu --core cortex-m9 --out x
refused 2 'self-test' export int8.slu --self-test many --out x
refused 2 '--trace.*is an input of this command' run int8.slu --input test.csv --trace test.csv
refused 2 'device\.core=cortex-m4: .*flash.*more than.*would' train recipe.toml --out x --set device.core=cortex-m4 --set device.flash=4KiB
refused 2 'device\.flash=lots: .*amount' train recipe.toml --out x --set device.core=cortex-m4 --set device.flash=lots
refused 2 'device\.type=f32: .*float unit' train recipe.toml --out x --set device.core=cortex-m0 --set device.type=f32 --set device.flash=1MiB
refused 2 'device\.core' train recipe.toml --out x --set device.flash=1MiB
refused 2 'cortex-m9' train recipe.toml --out x --set device.core=cortex-m9 --set device.flash=1MiB
refused 2 '--fits "": .*is not a limit' inspect int8.slu --core cortex-m4 --fits ""
refused 2 'int8.*training is for w8a16' train recipe.toml --out x --set device.core=cortex-m4 --set device.type=int8 \
  --set quantize.aware=true --set quantize.type=w8a16
cp run/model.slu float.slu && cp train.csv data.csv
refused 2 '--out float.slu: is an input of this command' quantize float.slu --calibrate train.csv --out float.slu --force
refused 2 '--out data.csv: is an input of this command' quantize float.slu --calibrate data.csv --out data.csv --force
refused 2 '--report float.slu: is an input of this command' quantize float.slu --calibrate train.csv --out x.slu --report float.slu
refused 2 '--report x.slu' quantize float.slu --calibrate train.csv --out x.slu --report x.slu
refused 2 '/dev/full: is not a file' quantize float.slu --calibrate train.csv --out /dev/full
same run/model.slu float.slu "a refused quantize and its model" && same train.csv data.csv "a refused quantize and its data"
# An output that loses more than a tenth is named with the cause, and no other one: v is a sum of
# features without noise, so that 8 bits of a feature, and then 8 bits of a weight, show.
awk 'BEGIN { srand(6); print "s,v,w,a,b"; for (s = 0; s < 200; s++) for (t = 0; t < 5; t++) { a = rand() * (t ? 1 : 3); b = rand(); printf "%d,%.5f,%.5f,%.5f,%.5f\n", s, 2 * a + b / 9, 1000 + b + (rand() - 0.5), a, b } }' >sums.csv
cat >sums.toml <<'END'
[data]
train = "sums.csv"
sequence = "s"
target = ["v", "w"]
target_type = "value"
target_per = "row"
standardize_target = true
[model]
layers = [ { dense = 2 } ]
[train]
loss = "mse"
epochs = 60
learning_rate = 0.02
END
works train sums.toml --out sums
works quantize sums --calibrate sums.csv --report sums.json
[ "$(grep -c '^warning' err)" = 1 ] && grep -q '^warning: v: RMSE [-0-9.e]* in float, [0-9.]* in int8: the error is largest in the inputs' err || complain "the output that loses in int8: $(cat err)"
grep -q '"output": "v"' sums.json && ! grep -q '"output": "w"' sums.json || complain "the report's losses: $(grep -A6 losses sums.json)"
works quantize sums --calibrate sums.csv --type w8a16
[ "$(grep -c '^warning' err)" = 1 ] && grep -q '^warning: v: RMSE .* in w8a16: the weights that lead to it have 8 bits$' err || complain "the output that loses in w8a16: $(cat err)"
refused 1 'nowhere/x.slu' quantize float.slu --calibrate train.csv --out nowhere/x.slu --report x.json
refused 1 '/dev/full: cannot be written' run run/model.slu --input test.csv --trace x.trace --output /dev/full
absent x x.slu x.json x.trace
for core in cortex-m0plus cortex-m85; do works inspect int8.slu --core $core; done

# --- one sequence: no choice between ranges, but ranges; an outlier: the other ranges remain
awk -F, -v OFS=, 'NR > 1 { $1 = 1 } 1' short.csv >one.csv
refused 2 'one\.csv: too few sequences.*--ranges' quantize run --calibrate one.csv --out one.slu
works quantize run --calibrate one.csv --ranges min-max --out one.slu
awk -F, -v OFS=, 'NR == 3 { $3 = 1e9 } 1' "$vowels/train.csv" >outlier.csv
works quantize run --calibrate outlier.csv --out outlier.slu
grep -q 'warning: a choice of ranges is left out: .*c1 goes from' err && grep -q 'percentile.*chosen' out || complain "an outlier: $(cat err)"
finish
