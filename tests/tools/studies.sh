#!/usr/bin/env bash
# The recipes of tools/recipes in short, each variant, on the data that is shipped, or on a small
# stand-in of the same form.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
recipes=$repository/tools/recipes

# --- stand-ins: two classes of digits that rise and fall, a series with a day of 24 hours, 65
# characters, words that tell
for file in train test; do
  awk -v n=$([ $file = train ] && echo 60 || echo 20) 'BEGIN {
    printf "sequence,label,speaker,take"; for (k = 1; k <= 16; k++) printf ",mel%d", k; printf "\n"
    for (s = 0; s < n; s++) for (t = 0; t < 6 + s % 4; t++) {
      printf "%d,%d,x,%d", s, s % 10, s / 10
      for (k = 1; k <= 16; k++) printf ",%.3f", ((s % 10) * k % 7) / 3 - t * (s % 10) / 20
      printf "\n" } }' >$file.csv
done
awk 'BEGIN { print "date,OT"; for (i = 0; i < 14400; i++) printf "%d,%.3f\n", i, 20 + 5 * sin(i * 6.2831853 / 24) + i / 2000 }' >ETTh1.csv
awk 'BEGIN { for (i = 0; i < 60; i++) { for (c = 33; c < 97; c++) printf "%c", (c * 7 + i % 3) % 64 + 33; printf "\n" } }' >input.txt
for file in train dev; do
  awk 'BEGIN { print "sentence\tlabel"; for (i = 0; i < 60; i++) printf "%s film %d of a kind\t%d\n", i % 2 ? "good" : "bad", i, i % 2 }' >$file.tsv
done

# study NAME EXPECTED-IN-THE-TABLE OPTION...
study() {
  local name=$1 line=$2
  shift 2
  works train "$recipes/$name.toml" --data-dir . --out "$name" "$@"
  grep -qE "$line" out || complain "$name: its table lacks $line: $(cat out)"
}
works train "$recipes/regularized-gru.toml" --out regularized-gru --set train.epochs=2
[ "$(grep -cE '^(none|l1|l2|input-dropout|recurrent-dropout|output-dropout|clipping|early-stopping|all) ' out)" = 9 ] || complain "variants: $(cat out)"
study norm-gru '^rare-weighted .* %' --set train.epochs=2 --set data.validation=0.2
study forecast '^elastic-1e-1 ' --set train.epochs=1 --set data.stride=40
study char-lm '^clipped ' --set train.epochs=1 --set train.batch=4
works run char-lm/plain --generate 20 --temperature 0.8 --top-k 40 --seed 1 --prompt 'R'
study sparse-digits '^sparse .* %' --set train.epochs=2 --set data.validation=0.2 --set train.prune_every=1 --set 'model.layers=[{gru=64},{dense=10,activation="softmax"}]'
works quantize sparse-digits/sparse --calibrate train.csv --out sparse.slu
grep -q '^layer 1 (gru) is stored sparse, for 9.*% of its blocks' out || complain "a pruned model is not quantized sparse: $(cat out)"
works train "$recipes/sentiment.toml" --data-dir . --out sentiment --set train.epochs=2
grep -q '^Test, 60 sequences: ' out || complain "sentiment: no test figure: $(cat out)"

# Recipes with a search space, by a few trials.
search() {
  local name=$1
  shift
  works tune "$recipes/$name.toml" --study "$name.db" --seeds 1 --set train.epochs=2 "$@"
  [ "$("${sluice[@]}" tune --study "$name.db" --list | grep -cE ' (complete|pruned) ')" -ge 3 ] || complain "$name: $("${sluice[@]}" tune --study "$name.db" --list)"
  works report "$name.db"
}
if has_tune; then
  search tuned-vowels --trials 3 --set tune.folds=2 --set tune.repeats=1
  search tuned-digits --data-dir . --trials 3 --set tune.folds=2
  search tuned-lambda --data-dir . --trials 3 --set tune.folds=2 --set data.stride=40
  search sentiment-grid --data-dir . --trials 3 --set data.validation=0.4 --halving hyperband --set tune.eta=2
else
  echo "skipped: recipes with a search space, by a build without sluice tune"
fi
finish
