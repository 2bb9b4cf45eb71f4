#!/usr/bin/env bash
# The exported C source compiles without a warning as C99 and C++17, and answers as the command
# does, to the bit.
#   CC, CXX    compilers with their flags
#   LIBRARIES  runtime and kernels, then the libraries that they need
#   EMULATOR   runs a program, if this machine cannot
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

good_csv >train.csv
good_recipe >recipe.toml
works train recipe.toml --out run
works export run/model.slu --format c --out c
[ "$(ls c | tr '\n' ' ')" = "model.c model.h " ] || complain "export writes $(ls c)"
cp -r c before
works export run/model.slu --format c --out c
grep -q 'in place of another model' out && complain "the same model exported again: $(cat out)"
same c/model.c before/model.c "exported twice"
works export run/model.slu --strip --out stripped
works train recipe.toml --out other --set train.seed=2
cp -r c another && works export other --format c --out another
grep -q '^wrote another/model.h, in place of another model$' out || complain "another model exported: $(cat out)"
echo "int mine;" >c/model.c
refused 2 'c/model\.c: .*--force' export run/model.slu --format c --out c
[ "$(cat c/model.c)" = "int mine;" ] || complain "a file of somebody else's was replaced"
works export run/model.slu --format c --out c --force

# Numbers on standard input, answers as bits on standard output, every step.
cat >main.c <<'END'
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "sluice.h"

static sluice_model model;
static sluice_stream stream;
MODEL_ALIGNED(16) static unsigned char state[MODEL_STATE_BYTES];
MODEL_ALIGNED(16) static unsigned char scratch[MODEL_SCRATCH_BYTES];

int main(void) {
  const sluice_use use = {1, 1};
  float x[MODEL_INPUTS], y[MODEL_OUTPUTS];
  model_input frame[MODEL_INPUTS];
  model_output answer[MODEL_OUTPUTS];
  unsigned bits, i;
  sluice_status status = sluice_open(&model, model_blob, MODEL_BLOB_BYTES, NULL);
  if (status == SLUICE_OK) status = sluice_start(&stream, &model, use, state, sizeof state, scratch, sizeof scratch);
  if (status != SLUICE_OK) return 1;
  if (sluice_hash(&model) != MODEL_HASH) return 2;
#ifdef WITH_LABELS
  printf("%s,%s\n", model_labels[0], model_labels[MODEL_OUTPUTS - 1]);
#endif
  for (;;) {
    for (i = 0; i < MODEL_INPUTS; ++i)
      if (scanf("%f", &x[i]) != 1) return 0;
    sluice_quantize(&model, x, frame, 1);
    sluice_step(&stream, frame, answer);
    sluice_dequantize(&model, answer, y, 1);
    for (i = 0; i < MODEL_OUTPUTS; ++i) {
      memcpy(&bits, &y[i], sizeof bits);
      printf("%s%08x", i ? "," : "", bits);
    }
    printf("\n");
  }
}
END
tail -n +2 train.csv | awk -F, '$1 == "s2" { print "one," $3 "," $4 }' | sed '1i sequence,a,b' >one.csv
works run run/model.slu --input one.csv --every-step --hex
tail -n +2 out | cut -d, -f3- >expected.csv
for type in int8 w8a16; do
  works quantize run --calibrate train.csv --type $type --out $type.slu
  works export $type.slu --out $type
  works run $type.slu --input one.csv --every-step --hex
  tail -n +2 out | cut -d, -f3- >$type.csv
done
strict="-Wall -Wextra -Wpedantic -Werror -I $repository/runtime"

# build_and_run FOLDER PROGRAM COMPILER-AND-FLAGS...: stdout in ./got.csv
build_and_run() {
  local folder=$1 program=$2
  shift 2
  # shellcheck disable=SC2086
  if ! "$@" $strict -I "$folder" -o "$program" main.c "$folder/model.c" -x none $LIBRARIES >err 2>&1; then
    complain "$*: $(head -n 5 err)"
    return
  fi
  # shellcheck disable=SC2086
  tail -n +2 one.csv | cut -d, -f2- | tr ',' ' ' | $EMULATOR "./$program" >got.csv || complain "$program: exit code $?"
}

# shellcheck disable=SC2086
for language in "c99 $CC -std=c99 -x c" "c11 $CC -std=c11 -x c" "cpp17 $CXX -std=c++17 -x c++"; do
  set -- $language
  name=$1
  shift
  build_and_run c "$name" "$@" -DWITH_LABELS
  [ "$(head -n 1 got.csv)" = "down,up" ] || complain "$name: labels are $(head -n 1 got.csv)"
  tail -n +2 got.csv >answers.csv
  same answers.csv expected.csv "the exported model as $name and sluice run"
  build_and_run stripped "stripped_$name" "$@"
  same got.csv expected.csv "the stripped model as $name and sluice run"
  for type in int8 w8a16; do
    build_and_run $type "${type}_$name" "$@"
    same got.csv $type.csv "the $type model as $name and sluice run"
  done
done

# A model of windows that learned differences: it adds the last frame itself, also in fixed point,
# where a frame has 16 bits; and the header says what a window is.
awk 'BEGIN { print "a,b"; for (i = 0; i < 300; ++i) printf "%.3f,%.3f\n", 2000 + i / 7 + sin(i / 3), cos(i / 5) }' >series.csv
cat >series.toml <<'END'
[data]
train = "series.csv"
sequence = ""
target = ["a"]
target_type = "value"
window = 12
windows_target = "difference"
[model]
layers = [ { gru = 8 }, { dense = 1 } ]
[train]
epochs = 4
batch = 16
END
works train series.toml --out series
works train series.toml --out aware --set quantize.aware=true --set data.standardize_target=true
works train series.toml --out differing --set data.differences=true
works train series.toml --out both --set data.differences=true --set quantize.aware=true
{ head -n 1 series.csv; tail -n 12 series.csv; } >last.csv
sed '1s/^/sequence,/; 2,$s/^/one,/' last.csv >one.csv
for type in int8 w8a16; do works quantize series --calibrate series.csv --type $type --out series-$type.slu; done
for type in int8 w8a16; do works quantize differing --calibrate series.csv --type $type --out series-differing_$type.slu; done
cp aware/model.slu series-aware.slu && cp both/model.slu series-both.slu
for type in int8 w8a16 aware differing_int8 differing_w8a16 both; do
  works run series-$type.slu --input last.csv --hex
  desk=$(tail -n 1 out | cut -d, -f2)
  works export series-$type.slu --out series_$type --strip
  # shellcheck disable=SC2086
  build_and_run series_$type "run_series_$type" $CC -std=c99 -x c
  [ "$(tail -n 1 got.csv)" = "$desk" ] || complain "$type: the last window's answer is $desk, in C $(tail -n 1 got.csv)"
  works run series-$type.slu --input last.csv
  tail -n 1 out | awk -F, '{ exit !($2 > 2042 && $2 < 2045) }' ||
    complain "$type: the series is at 2,043, but the answer is $(tail -n 1 out)"
done
for text in 'define MODEL_WINDOW 12' 'sluice_reset' 'A frame has 2 numbers: a, b' 'adds that frame itself'; do
  grep -q "$text" series_int8/model.h || complain "model.h does not say: $text"
done

finish
