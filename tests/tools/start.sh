#!/usr/bin/env bash
# A training that starts from a model (--init) takes features, classes and tokens by name, units and
# standardization as they are, and batch normalization with the moments of the data: a step at a
# rate of nearly 0 leaves every answer as it was.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

recipes=$repository/tools/recipes
# The places of batch normalization, which is folded into the layer behind it.
declare -A norms=(
  [norm-gru]='{gru=8,steps="every"},{batch_norm=true},{gru=8},{batch_norm=true}'
  [norm-gru-both]='{fastgrnn=8,directions="both"},{batch_norm=true}'
  [norm-gru-mean]='{gru=8,steps="mean",directions="both"},{batch_norm=true},{dense=8,activation="relu"},{batch_norm=true}'
  [norm-gru-graph]='{batch_norm=true},{lstm=8,name="h"},{batch_norm=true},{dense=8,name="d"},{add=["h","d"]},{batch_norm=true}'
)
# small NAME: settings that make a recipe fast, one a line; the data of those that ship none are
# made up.
small() {
  case $1 in
    japanese-vowels | regularized-gru | tuned-vowels) printf '%s\n' "data.train=$recipes/japanese-vowels/train.csv" "data.test=" ;;
    char-lm) printf '%s\n' data.train=text.txt 'model.layers=[{embedding=8},{lstm=12},{dense=17,activation="softmax"}]' ;;
    spoken-digits | sparse-digits | tuned-digits)
      printf '%s\n' data.train=digits.csv data.test= 'model.layers=[{gru=8},{dense=3,activation="softmax"}]'
      ;;
    conv-digits)
      printf '%s\n' data.train=digits.csv data.test= \
        'model.layers=[{window=3},{dense=6,activation="relu"},{gru=8},{dense=3,activation="softmax"}]'
      ;;
    forecast | tuned-lambda)
      printf '%s\n' data.train=series.csv data.train_rows=0:400 data.validation_rows=400:600 \
        data.test_rows=600:800 'model.layers=[{gru=6},{gru=6},{dense=24}]'
      ;;
    norm-gru*)
      printf '%s\n' data.train=digits.csv data.test= "model.layers=[${norms[$1]},{dense=3,activation=\"softmax\"}]"
      ;;
    sentiment | sentiment-grid)
      printf '%s\n' data.train=phrases.tsv data.test= data.group= \
        'model.layers=[{embedding=8},{gru=6},{dense=1,activation="sigmoid"}]'
      ;;
  esac
}
awk 'BEGIN { for (i = 0; i < 400; ++i) printf "the cat %s and the dog %s.\n", i % 3 ? "sat" : "ran", i % 5 ? "ate" : "hid" }' >text.txt
awk 'BEGIN { print "date,OT"; for (i = 0; i < 800; ++i) printf "%d,%.4f\n", i, 300 + i / 40 + 9 * sin(i / 7) }' >series.csv
awk 'BEGIN { print "sequence,label,speaker,take,a,b"; for (s = 0; s < 60; ++s) for (t = 0; t < 7 + s % 3; ++t) printf "s%d,%d,x,%d,%.4f,%.4f\n", s, s % 3, s, sin(t * (1 + s % 3) + s), cos(t + s % 3) }' >digits.csv
awk 'BEGIN { print "sentence\tlabel"; for (i = 0; i < 90; ++i) printf "a %s film %d\t%d\n", i % 2 ? "fine" : "dull", i % 7, i % 2 }' >phrases.tsv

# alike TOLERANCE A B: whether two tables have the same numbers.
alike() {
  paste -d, "$2" "$3" | awk -F, -v most="$1" '
    NR > 1 { n = NF / 2; for (i = 2; i <= n; ++i) { d = $i - $(n + i); if (d < 0) d = -d; if (d > most) bad = 1 } }
    END { exit bad }'
}

still=(--set train.epochs=1 --set train.learning_rate=1e-9 --set train.weight_decay=0)
# begins_as TOLERANCE NAME DATA ARGUMENT...: trains a recipe, then a step from its model.
begins_as() {
  local most=$1 name=$2 data=$3
  shift 3
  works train "$@" --out "$name" --set train.epochs=2
  works train "$@" --out "$name-on" --init "$name" "${still[@]}"
  for run in "$name" "$name-on"; do
    works run "$run/model.slu" --input "$data"
    cut -d, -f1-4 out >"$run.csv"
  done
  alike "$most" "$name.csv" "$name-on.csv" || complain "$name: a step of nothing from the model changes its answers: $(head -n 2 "$name.csv" "$name-on.csv" | tr '\n' ' ')"
}
# Prints a recipe without its variants, which are trainings of their own.
plain() { sed '/^\[\[variants\]\]/,$d' "$recipes/$1.toml"; }
for file in "$recipes"/*.toml; do
  name=$(basename "$file" .toml)
  [ "$name" = norm-gru ] || names+=("$name")
done
for name in "${names[@]}" "${!norms[@]}"; do
  plain "${name/#norm-gru-*/norm-gru}" >$name.toml
  settings=()
  while read -r one; do settings+=(--set "$one"); done < <(small $name)
  data=$(small $name | grep -o 'data.train=.*' | cut -d= -f2)
  # The moments of a batch smaller than the data would move the running ones.
  [[ $name != norm-gru* ]] || still+=(--set train.batch=all)
  begins_as 1e-3 $name "$data" $name.toml "${settings[@]}"
done

# Names decide, not places.
good_csv >train.csv
good_recipe >recipe.toml
works train recipe.toml --out run
awk -F, 'BEGIN { OFS = "," } { print $1, $2, $4, $3 }' train.csv >turned.csv
works train recipe.toml --out same --init run --set train.epochs=1 --set train.learning_rate=1e-9
works train recipe.toml --out turned --init run --set train.epochs=1 --set train.learning_rate=1e-9 --set data.train=turned.csv
for run in run turned; do works run $run/model.slu --input train.csv && cut -d, -f1-3 out >$run.csv; done
alike 1e-5 run.csv turned.csv || complain "columns in another order change the answers"
sed '1s/,b$/,c/' train.csv >other.csv
refused 2 '--init run: .*other\.csv: .*missing b, not expected c' train recipe.toml --out no --init run --set data.train=other.csv
sed 's/,down,/,left,/' train.csv >classes.csv
refused 2 '--init run: .*knows the classes down, up, but .*has left, up' train recipe.toml --out no --init run --set data.train=classes.csv
# Another frame or answer is refused by the name of its key. Layers are counted as in the recipe.
# other KEY=VALUE REGEX ARGUMENT...: a training that starts from a model with another value of a key
other() {
  local set=$1 regex=$2
  shift 2
  refused 2 "$regex" train "$@" --out no --set "$set"
}
from=(recipe.toml --init run)
other data.differences=true '--init run: .*/run was trained with data\.differences = false, but here it is true' "${from[@]}"
other data.standardize=false '--init run: .*/run was trained with data\.standardize = true, but here it is false' "${from[@]}"
layers() { echo "model.layers=[$1,{dense=2,activation=\"softmax\"}]"; }
other "$(layers '{gru=4,reset="before"}')" '--init run: layer 1 of .*/run has kind gru, but gru with reset = "before" here; give' "${from[@]}"
other "$(layers '{lstm=8},{gru=8}')" '--init run: .*/run has 2 layers, but model\.layers 3; give' "${from[@]}"
works train recipe.toml --out deep --set "$(layers '{gru=8,steps="every",repeat=2},{gru=8,name="g"}')"
other "$(layers '{gru=8,steps="every",repeat=2},{gru=9,name="g"}')" '--init deep: layer 2 of .*/deep has units 8, but 9 here; give' recipe.toml --init deep
cat >series.toml <<'END'
[data]
train = "series.csv"
target = "OT"
ignore = "date"
window = 6
[model]
layers = [ { gru = 4 }, { dense = 1 } ]
[train]
epochs = 1
loss = "mse"
END
two=(--set data.horizon=2 --set 'model.layers=[{gru=4},{dense=2}]')
awk -F, 'BEGIN { OFS = "," } { print $0, NR == 1 ? "b" : $2 / 2 }' series.csv >pair.csv
works train series.toml --out value
works train series.toml --out difference --set data.windows_target=difference
works train series.toml --out two "${two[@]}"
other data.windows_target=difference '--init value: .* was trained with data\.windows_target = "value", but here it is "difference"' series.toml --init value
other data.windows_target=value '--init difference: .*data\.windows_target = "difference", but here it is "value"' series.toml --init difference
other 'data.target=["OT","b"]' '--init two: .* was trained with data\.horizon = 2, but here it is 1' series.toml --init two --set data.train=pair.csv --set 'model.layers=[{gru=4},{dense=2}]'
works train series.toml --out wider --init difference "${two[@]}" # the last layer begins anew
awk -F, 'BEGIN { OFS = "," } { print NR == 1 ? "date" : sprintf("2024-01-%02d %02d:00", 1 + NR / 24, NR % 24), $2 }' series.csv >hours.csv
timed=(--set data.train=hours.csv --set 'data.ignore=[]' --set data.time=date --set data.horizon=1)
head -n 600 hours.csv >some.csv && mv some.csv hours.csv
works train series.toml --out timed "${timed[@]}" --set 'data.time_features=["hour"]'
other 'data.time_features=["weekday"]' '--init timed: .* was trained with data\.time_features = \["hour"\], but here it is \["weekday"\]' series.toml --init timed "${timed[@]}"
[ ! -e no ] || complain "a refused training leaves a folder"
# A run for fixed point has the float weights beside its model.
works train recipe.toml --out aware --set quantize.aware=true
works train recipe.toml --out aware-on --init aware --set quantize.aware=true --set train.epochs=1

# Of a folder of seeds the best run is taken, and told.
works train recipe.toml --out seeds --seeds 1..2 --set data.validation=0.5
works train recipe.toml --out seeds-on --init seeds --set train.epochs=1
grep -q '^seeds: seed-[12] is taken, the best of 2 runs by validation loss, .*; --init seeds/RUN takes another one$' err || complain "the run that is taken: $(cat err)"
grep -q '^init_from = ".*/seeds/seed-[12]"$' seeds-on/recipe.toml || complain "the run that was taken is not written"

finish
