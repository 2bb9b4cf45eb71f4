#!/usr/bin/env bash
# Texts and series from end to end: learned, evaluated, run. Errors in them are told in one line.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

field() { awk -v name="\"$2\":" '$1 == name { gsub(/,/, "", $2); print $2; exit }' "$1"; }
# above FILE FIELD NUMBER, below FILE FIELD NUMBER
above() { awk -v a="$(field "$1" "$2")" -v b="$3" 'BEGIN { exit !(a != "" && a > b) }' || complain "$1: $2 is $(field "$1" "$2"), not above $3"; }
below() { awk -v a="$(field "$1" "$2")" -v b="$3" 'BEGIN { exit !(a != "" && a < b) }' || complain "$1: $2 is $(field "$1" "$2"), not below $3"; }

# --- a text whose every character follows from the two before it
awk 'BEGIN { for (i = 0; i < 300; i++) printf "%s", i % 3 ? "Äbc Äbd\n" : "bcÄ d\n" }' >text.txt
cat >text.toml <<'END'
[data]
train = "text.txt"
format = "text"
validation = 0.2
window = 20
[model]
layers = [ { embedding = 8 }, { gru = 12 }, { dense = 8, activation = "softmax" } ]
[train]
epochs = 12
batch = 8
learning_rate = 0.02
END
works train text.toml --out text
grep -q ' 8 ids; the next one is the target' err || complain "a text's ids are not told: $(head -n 3 err)"
works eval text --data text.txt --json
mv out text.json
below text.json perplexity 1.5
above text.json perplexity_naive 4
SLUICE_ISA=scalar works train text.toml --out again --threads 2
same text/model.slu again/model.slu "threads or the instruction set change the model of a text"
SLUICE_ISA=scalar works eval text --data text.txt --json
same text.json out "the instruction set changes what eval says of a text"
works eval text --data text.txt --rows 0:100
works run text --input text.txt --output answers.csv
[ "$(grep -c '^0,' answers.csv)" -eq 2200 ] || complain "$(grep -c '^0,' answers.csv) answers to 2,200 characters"
head -n 1 answers.csv | grep -q '<padding>,<unknown>,' || complain "answers are not named by tokens: $(head -n 1 answers.csv)"
works export text --format slu --strip --out stripped
works inspect stripped/model.slu

# --- it writes the text on, the same on every instruction set
works run text --generate 100 --temperature 0 --prompt 'Äbc Äbd
'
[ "$(head -n -1 out | grep -cvxE 'Äbc Äbd|bcÄ d')" = 0 ] || complain "not lines of the text that it learned: $(cat out)"
works run text --generate 500 --temperature 0.8 --top-k 5 --seed 1 --prompt 'bcÄ' --output written.txt
SLUICE_ISA=scalar works run text --generate 500 --temperature 0.8 --top-k 5 --seed 1 --prompt 'bcÄ'
same written.txt out "the instruction set changes what is written"
[ "$(head -c 4 out)" = 'bcÄ' ] || complain "the text does not begin with the prompt: $(head -n 1 out)"
works run text --generate 5
sed 's/{ gru = 12 }/{ window = 2, stride = 2 }, { gru = 12 }/' text.toml >thin.toml
refused 2 'leaves tokens without an answer, and a model of the next token answers each' train thin.toml --out thin
refused 2 '^--prompt: the model does not know the character "x"' run text --generate 5 --prompt 'bx'
refused 2 '^--temperature -1: is not a number from 0 to 100' run text --generate 5 --temperature -1
refused 2 '^--top-k 0: is not a whole number from 1' run text --generate 5 --top-k 0
refused 2 '^--generate 0: is not a whole number from 1' run text --generate 0
refused 2 '^--seed -3: is not a whole number from 0' run text --generate 5 --seed -3
refused 2 '^--generate: writes a text, and takes no --input' run text --generate 5 --input text.txt
refused 2 '^--input: is missing' run text
refused 2 'give --generate N too' run text --input text.txt --seed 3

# --- in fixed point: ids stay ids
for type in int8 w8a16; do
  works quantize text --calibrate text.txt --type $type
  grep -q '^1 embedding  *y ' out || complain "the report does not tell of the embedding: $(cat out)"
  grep -q ' inputs  *[0-9e]' out && complain "ids have an error: $(cat out)"
  SLUICE_ISA=scalar works quantize text --calibrate text.txt --type $type --out text-$type-scalar.slu
  same text/model-$type.slu text-$type-scalar.slu "quantized on scalar"
  works eval text/model-$type.slu --data text.txt --json
  mv out $type.json
  below $type.json perplexity 1.5
  works run text/model-$type.slu --generate 20 --prompt Äb
  works run text/model-$type.slu --input text.txt --trace trace.txt
  grep -q '^step 0 layer 0 unit 0: [0-9]*$' trace.txt || complain "the trace of an id: $(sed -n 2p trace.txt)"
done
works train text.toml --out aware --set quantize.aware=true --set train.epochs=3
works eval aware --data text.txt --json
below out perplexity 4
printf 'Äbc x' >unknown.txt
refused 2 '^unknown\.txt:1: character "x" is not in the model' run text --input unknown.txt
refused 2 '^unknown\.txt:1: character "x" is not in the model' eval text --data unknown.txt
refused 2 '^unknown\.txt:1: character "x" is not in the model' quantize text --calibrate unknown.txt --out q.slu
refused 2 'unknown\.txt:1: character "x" is not in the model' train text.toml --out run --set data.test=unknown.txt
absent q.slu run
# The unknown token stands for all tokens beyond the limit.
works train text.toml --out limited --set data.vocabulary=8 --set train.epochs=1
works eval limited --data unknown.txt
printf 'Äbc\n\377' >bad.txt
refused 2 '^bad\.txt:2: byte ff is not UTF-8' eval text --data bad.txt
refused 2 'bad\.txt:2: ' train text.toml --out run --set data.train=bad.txt
printf 'aaaaaaaaaa' >one.txt
refused 2 'one\.txt: .*has only the token' train text.toml --out run --set data.train=one.txt
: >empty.txt
refused 2 'empty\.txt: empty' train text.toml --out run --set data.train=empty.txt
printf 'ab' >short.txt
refused 2 'short\.txt: .*give more' train text.toml --out run --set data.train=short.txt
refused 2 'data\.window=0: 0' train text.toml --out run --set data.window=0
refused 2 'data\.vocabulary=2: 2 ids' train text.toml --out run --set data.vocabulary=2
refused 2 'data\.target_per' train text.toml --out run --set data.target_per=sequence
refused 2 'data\.group=author: means nothing' train text.toml --out run --set data.group=author
refused 2 'data\.train_rows=5: "5"' train text.toml --out run --set data.train_rows=5
refused 2 'data\.test_rows=5:9: .*data\.train_rows' train text.toml --out run --set data.test_rows=5:9
refused 2 '--rows 9:5' eval text --data text.txt --rows 9:5
refused 2 'rows 0:99999' eval text --data text.txt --rows 0:99999
refused 2 'embedding' train text.toml --out run --set 'model.layers=[{gru=4},{dense=8,activation="softmax"}]'
absent run

# --- texts with labels
awk 'BEGIN {
  print "sentence\tlabel"
  for (i = 0; i < 60; i++) { w = i % 2 ? "good" : "bad"; print "it was a " w " film " i "\t" (i % 2); print "a " w " film\t" (i % 2) }
}' >train.tsv
cat >tsv.toml <<'END'
[data]
train = "train.tsv"
format = "tsv"
text = "sentence"
group = "containment"
lower_case = true
max_steps = 5
cut = "front"
[model]
layers = [ { embedding = 8 }, { gru = 8 }, { dense = 2, activation = "softmax" } ]
[train]
epochs = 10
batch = 8
learning_rate = 0.02
bucket = true
END
works train tsv.toml --out tsv
grep -q '60 of them cut to 5 frames' err || complain "cut texts are not told: $(head -n 3 err)"
grep -q 'most frequent 0 (5[0-9.]* %)' err || complain "the classes' shares are not told: $(head -n 3 err)"
printf 'label\tsentence\n1\tGOOD Film\n0\twhat a bad film it was\n' >test.tsv
works train tsv/recipe.toml --out again --force
same tsv/model.slu again/model.slu "a run's recipe gives another model"
works eval tsv --data test.tsv --json
mv out tsv.json
above tsv.json accuracy 0.9
above tsv.json auc 0.9
printf 'sentence\nan unknown word is good\n' >input.tsv
works run tsv --input input.tsv
refused 2 'train\.tsv:1: text: no such column' train tsv.toml --out run --set data.text=text
refused 2 'train\.tsv:1: author: no such column' train tsv.toml --out run --set data.group=author
printf 'sentence\tlabel\ngood\t2\n' >class.tsv
refused 2 'class\.tsv:2: label: class "2"' eval tsv --data class.tsv
printf 'sentence\tlabel\ngood\t1\n \t0\n' >nothing.tsv
refused 2 'nothing\.tsv:3: sentence: no token' eval tsv --data nothing.tsv
refused 2 'data\.window=4: .*data\.max_steps' train tsv.toml --out run --set data.window=4
refused 2 'data\.cut: .*means nothing' train tsv.toml --out run --set data.max_steps=0
refused 2 '--rows 0:1: ' eval tsv --data test.tsv --rows 0:1
absent run

# --- a series: a saw tooth of 10 rows each
awk 'BEGIN { print "time,y,z"; for (i = 0; i < 400; i++) printf "%d,%.2f,%d\n", i, 100 + i % 10 * 2, i % 7 }' >series.csv
cat >series.toml <<'END'
[data]
train = "series.csv"
target = "y"
features = [ "y" ]
window = 20
horizon = 3
windows_target = "difference"
standardize_target = true
reach_back = true
train_rows = "0:250"
validation_rows = "250:300"
test_rows = "300:400"
[model]
layers = [ { gru = 12 }, { dense = 3 } ]
[train]
epochs = 30
batch = 16
learning_rate = 0.02
END
works train series.toml --out series
grep -q '^Test, 98 sequences: .*last value' out || complain "the test rows are not told: $(cat out)"
works eval series --data series.csv --rows 280:400 --json
mv out series.json
SLUICE_ISA=scalar works train series.toml --out again --force --threads 2
same series/model.slu again/model.slu "threads or the instruction set change the model of a series"
SLUICE_ISA=scalar works eval series --data series.csv --rows 280:400 --json
same series.json out "the instruction set changes what eval says of a series"
[ "$(field series.json sequences)" = 98 ] || complain "$(field series.json sequences) windows, not 98"
awk -v a="$(field series.json mse)" -v b="$(field series.json mse_naive)" 'BEGIN { exit !(a < b / 3) }' ||
  complain "squared error $(field series.json mse), of the last value $(field series.json mse_naive)"
works run series --input series.csv --output answers.csv
[ "$(wc -l <answers.csv)" -eq 382 ] || complain "$(wc -l <answers.csv) lines of answers, not 381 windows and a header"
# Differences are told as values: near the level of the series, whatever the model.
awk -F, 'NR > 1 && ($2 < 90 || $2 > 130) { bad = 1 } END { exit bad }' answers.csv || complain "answers are not values: $(head -n 2 answers.csv)"
works inspect series
grep -qE '(^| )5  *add ' out || complain "the model does not add the last value itself: $(sed -n 3,8p out)"
works quantize series --calibrate series.csv
works eval series/model-int8.slu --data series.csv --rows 280:400 --json
awk -v a="$(field out mse)" -v b="$(field series.json mse_naive)" 'BEGIN { exit !(a < b / 2) }' || complain "int8 errs by $(field out mse)"
works run series/model-int8.slu --input series.csv --output answers8.csv
awk -F, 'NR > 1 && ($2 < 90 || $2 > 130) { bad = 1 } END { exit bad }' answers8.csv || complain "int8 answers are not values: $(head -n 2 answers8.csv)"
works export series --self-test 2 --out series_c
works bench series
works train series.toml --out from --init series/model.slu --set train.epochs=1
works train series.toml --out aware8 --set quantize.aware=true
works run aware8 --input series.csv
cp out aware8.csv
awk -F, 'NR > 1 && ($2 < 90 || $2 > 130) { bad = 1 } END { exit bad }' aware8.csv || complain "answers of training for fixed point are not values: $(head -n 2 aware8.csv)"

# --- the same with a level that changes, by differences: the network cannot know the level
awk 'BEGIN { print "time,y,z"; for (i = 0; i < 400; i++) printf "%d,%.2f,%d\n", i, 100 + i % 10 * 2 + (i < 250 ? 0 : 1000), i % 7 }' >wander.csv
works train series.toml --out moved --set data.differences=true --set data.train=wander.csv --set data.validation_rows=251:300
works eval moved --data wander.csv --rows 280:400 --json
awk -v a="$(field out mse)" -v b="$(field series.json mse_naive)" 'BEGIN { exit !(a < b / 3) }' ||
  complain "of a series 1,000 higher it errs by $(field out mse); of the last value $(field series.json mse_naive)"
# In fixed point too, at the level that it was trained on; another one is outside of the range of
# its frames, and quantize says so.
for type in int8 w8a16; do
  works quantize moved --calibrate wander.csv --type $type --out moved-$type.slu
  grep -q '^warning: y: [0-9.]* % of its values in validation are outside' err || complain "a level outside of the range: $(cat err)"
  grep -q "^warning: y+1: RMSE [0-9.]* in float, [0-9.]* in $type: [0-9.]* % of the values of y are outside of its range" err || complain "the loss by a level outside of the range: $(cat err)"
  works eval moved-$type.slu --data wander.csv --rows 120:240 --json
  fixed=$(field out mse)
  works eval moved --data wander.csv --rows 120:240 --json
  awk -v a="$fixed" -v b="$(field out mse)" 'BEGIN { exit !(a < b * 1.3 + 0.01) }' || complain "$type errs by $fixed, float by $(field out mse)"
done
refused 2 'data\.differences=true: means nothing here' train tsv.toml --out run --set data.differences=true
refused 2 'hold no window' train series.toml --out run --set data.window=300
refused 2 'of 400 series, none has enough: the longest 1 rows' train series.toml --out run --set data.sequence=time --set 'data.ignore=[]'
refused 2 'data\.validation_rows: .*begin before' train series.toml --out run --set data.validation_rows=240:300
refused 2 'data\.test_rows: .*the file has 400' train series.toml --out run --set data.test_rows=300:401
refused 2 'series\.csv:1: w: no such column' train series.toml --out run --set data.target=w
refused 2 'must be a feature too' train series.toml --out run --set 'data.features=["z"]'
refused 2 'data\.horizon: means nothing here; .*target_type = "value"' train series.toml --out run --set data.target_type=class
refused 2 'standardize_target: needs a linear output' train series.toml --out run --set 'model.layers=[{gru=4},{dense=3,activation="tanh"}]'
refused 2 'embedding reads text' train series.toml --out run --set 'model.layers=[{embedding=4},{gru=4},{dense=3}]'
sed '5s/,[^,]*,/,nan,/' series.csv >nan.csv
refused 2 'nan\.csv:5: y: "nan"' train series.toml --out run --set data.train=nan.csv
for key in stride=0 horizon=0 window=-1 max_steps=-1 vocabulary=70000 cut=middle tokens=letters format=xml windows_target=ratio; do
  refused 2 "data\\.$key: " train series.toml --out run --set "data.$key"
done
absent run

finish
