#!/bin/bash
# Tests of the parts of data: validation in time order, in ranges of rows, in a file; windows of
# several series and of classes; what cannot be split or normalized is refused or warned of.
. "$(dirname "$0")/lib.sh"

# One long series: the class is 1 in the second half of every 20 rows, and x tells it.
awk 'BEGIN { srand(1); print "row,k,x,y"
  for (i = 0; i < 400; i++) printf "%d,%d,%.3f,%.3f\n", i, (i % 20 >= 10), (i % 20 >= 10) + rand() / 4, rand() }' >long.csv
cat >long.toml <<'END'
[data]
train = "long.csv"
target = "k"
target_per = "row"
ignore = ["row"]

[model]
layers = [ { gru = 6 }, { dense = 2, activation = "softmax" } ]

[train]
epochs = 6
learning_rate = 1e-2
batch = 4
truncate = 20
patience = 5
END
refused 2 'long\.csv:1: sequence: no such column; .*set it to "" if the whole file is one sequence' train long.toml --out run
works train long.toml --out run --set data.sequence=
grep -q '^17 pieces, 400 frames' err || complain "320 rows in pieces of 20 and one of 80: $(head -n 1 err)"
grep -q '^Validation, 1 sequences' out || complain "no validation: $(cat out)"
works train long.toml --out run --force --set data.sequence= --set data.train_rows=0:200 --set data.validation_rows=200:300 --set data.test_rows=300:400
grep -q '^Test, 1 sequences' out || complain "no test of the range: $(cat out)"
works quantize run --calibrate long.csv
grep -q '^ranges from 1 sequences, tried on 1 others' out ||
  complain "quantize takes ranges from other rows than the training: $(head -n 1 out)"
works eval run --data long.csv --rows 300:400
grep -q '^1 sequences, 100 frames' out || complain "eval --rows of one series: $(head -n 1 out)"
(head -n 1 long.csv && tail -n 100 long.csv) >valid.csv
works train long.toml --out file --set data.sequence= --set data.validation_file=valid.csv
works eval file --data valid.csv
grep -q '^1 sequences, 100 frames' out || complain "the validation file: $(head -n 1 out)"
measured=$(grep -o 'loss [0-9.]*' out | head -n 1)
works train long.toml --out file --force --set data.sequence= --set data.validation_file=valid.csv
grep -q "^Validation, 1 sequences: $measured" out || complain "the validation file's loss is not eval's, $measured: $(cat out)"
# quantize takes its ranges from all of the training file, and tries them on the validation file:
# the one of the run, or that of --validation.
works quantize file --calibrate long.csv --out in_run.slu
grep -q '^ranges from 1 sequences, tried on 1 others' out || complain "quantize of a run with a validation file: $(head -n 1 out)"
grep -qF "(float) " out && grep '(float)' out | awk -v m="${measured#loss }" '{ exit !(($2 - m) ^ 2 < 1e-6) }' || complain "the float loss is not that of the validation file, $measured: $(grep float out)"
mv out in_run
cp file/model.slu alone.slu
works quantize alone.slu --calibrate long.csv --validation valid.csv --out alone8.slu
sed 's/in_run.slu/alone8.slu/' in_run | grep -v ^wrote >in_run.text && grep -v ^wrote out >alone.text
same in_run.text alone.text "--validation and the run's own validation file"
refused 2 'alone\.slu|too few sequences' quantize alone.slu --calibrate long.csv --out none.slu
# It is found by --data-dir, and a study knows it.
mkdir -p moved && cp long.csv valid.csv moved
sed 's|^train = .*|train = "long.csv"|' long.toml >elsewhere.toml
mkdir -p apart && cp elsewhere.toml apart
works train apart/elsewhere.toml --out apart/run --data-dir moved --set data.sequence= --set data.validation_file=valid.csv
grep -q "^Validation, 1 sequences: $measured" out || complain "the validation file of --data-dir: $(cat out)"
if has_tune; then
  sed 's|gru = [0-9]*|gru = { value = 4, low = 3, high = 5 }|; s|^patience.*||' long.toml >search.toml
  printf '[tune]\ntrials = 1\n' >>search.toml
  works tune search.toml --study file.db --set data.sequence= --set data.validation_file=moved/valid.csv --seeds 1
  awk -F, -v OFS=, 'NR == 5 { $NF = $NF + 1 } { print }' valid.csv >moved/valid.csv
  refused 2 'file.db: is a study of other data' tune search.toml --study file.db --set data.sequence= --set data.validation_file=moved/valid.csv --trials 2
fi
refused 2 'data\.validation=0\.3: does not go together with data\.validation_file' train long.toml --out no \
  --set data.sequence= --set data.validation_file=valid.csv --set data.validation=0.3
awk -F, -v OFS=, 'NR > 200 { $2 = "" } { print }' long.csv >half.csv
refused 2 'validation part has no target; the targets of .*half\.csv are in rows 0:199' train long.toml --out no \
  --set data.sequence= --set data.train=half.csv

# A measure that the validation part does not define.
awk -F, -v OFS=, 'NR > 300 { $2 = 0 } { print }' long.csv >zero.csv
for measure in auc balanced_accuracy macro_f1; do
  refused 2 "train\\.monitor.*\"$measure\" needs every class .* no target of class 1" train long.toml --out no \
    --set data.sequence= --set data.train=zero.csv --set train.monitor=$measure
done

# Windows of several series.
awk 'BEGIN { srand(2); print "home,k,load"
  for (h = 0; h < 3; h++) for (i = 0; i < 60; i++)
    printf "h%d,%s,%.3f\n", h, i % 12 < 6 ? "low" : "high", 10 * h + (i % 12 >= 6) + rand() / 8 }' >homes.csv
cat >homes.toml <<'END'
[data]
train = "homes.csv"
sequence = "home"
target = "load"
ignore = ["k"]
window = 6

[model]
layers = [ { gru = 6 }, { dense = 1 } ]

[train]
epochs = 3
END
works train homes.toml --out homes
# 48 rows of each for training hold 42 windows; targets in the 12 rows after them are 12 windows.
grep -q '^162 sequences, 180 frames' err || complain "windows of three homes: $(head -n 1 err)"
grep -q '^Validation, 36 sequences' out || complain "validation in each home: $(cat out)"
works train homes.toml --out homes --force --set data.validation_order=random --set data.validation=0.34
grep -q '^Validation, 54 sequences' out || complain "one home of three: $(cat out)"
works train homes.toml --out homes --force --set data.target=k --set data.ignore=[] --set data.window_class=majority \
  --set data.validation_order=random --set data.validation=0.34 \
  --set 'model.layers=[{gru=6},{dense=2,activation="softmax"}]' --set train.epochs=40 --set train.learning_rate=1e-2
grep -q '^165 sequences, 180 frames; features: load; classes: high, low' err || complain "classes of windows: $(head -n 1 err)"
works eval homes --data homes.csv
grep -q '^165 sequences' out || complain "eval of classes of windows: $(head -n 1 out)"

# Batch normalization over one value.
good_csv >train.csv
good_recipe >norm.toml
norm='model.layers=[{gru=4},{batch_norm=true},{dense=2,activation="softmax"}]'
refused 2 'train\.batch.*a batch has one sequence, and layer 3 \(batch_norm\) then has one value' train norm.toml --out norm --set "$norm" --set train.batch=1
absent norm
works train norm.toml --out norm --set "$norm" --set train.batch=11
grep -q 'warning: 12 sequences in batches of 11 leave a last batch of one' err || complain "no warning: $(cat err)"
works train norm.toml --out norm --force --set train.batch=1

finish
