#!/usr/bin/env bash
# The answers of `sluice run` and the figures of `sluice eval` as people read them: other columns in
# the input, predicted and true values beside the answers, one sentence, errors of each target,
# the classes that are taken for one another.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# column NAME FILE: the cells of a column of simple CSV, without its name.
column() { awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print at ? $at : "no column" }' "$2"; }

# --- classes: the boolean's names collide with the name of a column
awk 'BEGIN { print "sequence,label,a,b,time"
  for (s = 0; s < 40; s++) for (t = 0; t < 4; t++) printf "%d,%s,%.2f,%.2f,%d:%02d\n", s, s % 2 ? "true" : "false", s % 2 ? t / 4 : -t / 4, s % 5 / 9, s, t }' >bool.csv
cat >bool.toml <<'END'
[data]
train = "bool.csv"
ignore = ["time"]
[model]
layers = [ { gru = 4 }, { dense = 1, activation = "sigmoid" } ]
[train]
loss = "binary"
epochs = 8
batch = 8
learning_rate = 0.03
END
works train bool.toml --out bool
works run bool --input bool.csv --with time --output answers.csv
[ "$(head -n 1 answers.csv)" = 'sequence,true,predicted,true_label,time' ] || complain "columns of classes: $(head -n 1 answers.csv)"
awk -F, 'NR > 1 && ($3 != ($2 > 0.5 ? "true" : "false") || $4 != ($1 % 2 ? "true" : "false") || $5 != $1 ":03") { exit 1 }' answers.csv ||
  complain "predicted and true classes: $(head -n 3 answers.csv)"
works run bool --input bool.csv --every-step --with a,b
column a bool.csv >a && column a out >b
cmp -s a b || complain "--with of every step does not give the input's cells"
works run bool --input bool.csv --json --with time
grep -q '"sequence": "3", "y": \[[-0-9.e]*\], "predicted": "true", "true": "true", "with": {"time": "3:03"}}' out || complain "JSON of classes: $(head -n 5 out)"
works run bool --input bool.csv --hex
[ "$(head -n 1 out)" = 'sequence,true' ] || complain "--hex gives more than outputs: $(head -n 1 out)"
cut -d, -f1,3,4 bool.csv >inputs.csv
works run bool --input inputs.csv
[ "$(head -n 1 out)" = 'sequence,true,predicted' ] || complain "without a target: $(head -n 1 out)"
paste -d, <(column b inputs.csv) <(column sequence inputs.csv) <(column a inputs.csv) | awk -F, -v OFS=, 'BEGIN { print "b,sequence,other,a" } { print $1, $2, "x" NR, $3 }' >moved.csv
mv out plain.csv
works run bool --input moved.csv
same plain.csv out "columns in another order, and one more"

refused 2 '^--with a: is named twice$' run bool --input bool.csv --with a,b,a

# --- windows whose target is no feature: as in training, without the target, with other columns
awk 'BEGIN { print "wind,sun,load,spare,time"
  for (i = 0; i < 300; i++) printf "%.3f,%.3f,%.3f,%d,t%d\n", sin(i / 3), sin(i / 7), sin(i / 3) + sin(i / 7) / 2, 0, i }' >plant.csv
cat >plant.toml <<'END'
[data]
train = "plant.csv"
target = "load"
features = ["wind", "sun"]
window = 12
horizon = 2
[model]
layers = [ { gru = 6 }, { dense = 2 } ]
[train]
epochs = 3
END
works train plant.toml --out plant
works run plant --input plant.csv --with time --output answers.csv
[ "$(head -n 1 answers.csv)" = 'sequence,load+1,load+2,predicted_load+1,predicted_load+2,true_load+1,true_load+2,time' ] ||
  complain "columns of windows: $(head -n 1 answers.csv)"
awk -F, 'FNR == 1 { next } FILENAME == "plant.csv" { load[n++] = $3; next }
  { end = $1 + 12; one = end < 300 ? load[end] + 0 : ""; two = end + 1 < 300 ? load[end + 1] + 0 : ""
    if ($4 != $2 || $5 != $3 || $6 != one || $7 != two || $8 != "t" end - 1) { print "line " FNR; exit 1 } }' plant.csv answers.csv ||
  complain "true values of windows: $(tail -n 2 answers.csv)"
cut -d, -f1-3 answers.csv >wanted
for columns in 1-3 1,2,4 1,2; do
  cut -d, -f$columns plant.csv >less.csv
  works run plant --input less.csv
  cut -d, -f1-3 out >got
  same wanted got "the columns $columns of the input"
done
cut -d, -f1,3 plant.csv >less.csv
refused 2 'less\.csv:1: .*missing sun' run plant --input less.csv

# --- other ways of writing a table: true values are numbers as the answers are, and a row that is a
# sequence has its class and its other cells beside the answer
tr ',.' ';,' <plant.csv >comma.csv
works run plant --input comma.csv --output comma_answers.csv
cut -d, -f1-7 answers.csv >wanted
same wanted comma_answers.csv "true values with a decimal comma"
awk 'BEGIN { print "label,who,a_0,a_1,a_2"; for (s = 0; s < 30; s++) printf "%s,p%d,%.2f,%.2f,%.2f\n", s % 2 ? "up" : "down", s % 4, s % 2 ? 0.1 : 0.9, 0.5, s % 2 ? 0.9 : 0.1 }' >wide.csv
printf '[data]\ntrain = "wide.csv"\nformat = "wide"\nignore = ["who"]\n[model]\nlayers = [ { gru = 4 }, { dense = 2, activation = "softmax" } ]\n[train]\nepochs = 3\n' >wide.toml
works train wide.toml --out wide
works run wide --input wide.csv --with who,a_2
awk -F, 'NR == 1 { if ($0 != "sequence,down,up,predicted,true,who,a_2") exit 1; next } $4 != ($3 > $2 ? "up" : "down") || $5 != ($1 % 2 ? "up" : "down") || $6 != "p" $1 % 4 || $7 != ($1 % 2 ? "0.90" : "0.10") { exit 1 }' out ||
  complain "answers to a wide file: $(head -n 3 out)"
awk -F, 'NR > 1 { print ($1 == "up" ? 1 : 0) "\t" $3 "\t" $4 "\t" $5 }' wide.csv >rows.tsv
printf '[data]\ntrain = "rows.tsv"\nformat = "ucr"\n[model]\nlayers = [ { gru = 4 }, { dense = 2, activation = "softmax" } ]\n[train]\nepochs = 1\n' >ucr.toml
works train ucr.toml --out ucr
works run ucr --input rows.tsv
[ "$(column true out | head -n 3 | tr '\n' ' ')" = '0 1 0 ' ] || complain "true classes of a UCR file: $(head -n 3 out)"

# --- a text in place of a file
awk 'BEGIN { OFS = "\t"; print "label", "text"; for (i = 0; i < 40; i++) print i % 2 ? "good" : "bad", (i % 2 ? "a fine film " : "a dull film ") i % 3 }' >films.tsv
printf '[data]\ntrain = "films.tsv"\nformat = "tsv"\nvalidation = 0.2\n[model]\nlayers = [ { embedding = 4 }, { gru = 4 }, { dense = 2, activation = "softmax" } ]\n[train]\nepochs = 12\nlearning_rate = 0.05\n' >films.toml
works train films.toml --out films
for word in fine dull; do
  works run films --text "a $word film"
  [ "$(column predicted out)" = "$([ $word = fine ] && echo good || echo bad)" ] || complain "--text $word: $(cat out)"
done
mv out one.csv
printf 'text\na dull film\n' >one.tsv
works run films --input one.tsv
[ "$(tail -n 1 out | cut -d, -f2-)" = "$(tail -n 1 one.csv | cut -d, -f2-)" ] || complain "--text and a file of that text: $(cat one.csv out)"
works run films --text "a dull film" --json
grep -q '"predicted": "bad"' out || complain "--text --json: $(cat out)"
refused 2 '^--text: is empty' run films --text ''
works run films --input films.tsv --with text
[ "$(head -n 1 out)" = 'sequence,bad,good,predicted,true,text' ] || complain "columns of texts: $(head -n 1 out)"
awk -F, 'NR > 1 && ($5 != (NR % 2 ? "good" : "bad") || $6 !~ ($5 == "good" ? "fine" : "dull")) { exit 1 }' out || complain "true classes of texts: $(head -n 3 out)"

# --- each target's errors, recomputed from the answers
awk 'BEGIN { print "pressure,warmth"; for (i = 0; i < 400; i++) printf "%.1f,%.3f\n", 98000 + 800 * sin(i / 9), 20 + 4 * sin(i / 5) }' >two.csv
printf '[data]\ntrain = "two.csv"\ntarget = ["pressure", "warmth"]\nwindow = 10\nstandardize_target = true\n[model]\nlayers = [ { gru = 6 }, { dense = 2 } ]\n[train]\nepochs = 3\n' >two.toml
works train two.toml --out two
grep -q '^pressure ' out && grep -q '^warmth ' out || complain "train does not tell each target's errors: $(cat out)"
works run two --input two.csv
awk -F, 'NR > 1 && $6 != "" { n++; p += ($4 - $6) ^ 2; w += ($5 - $7) ^ 2 } END { printf "pressure %.4g\nwarmth %.4g\n", p / n, w / n }' out >counted
works eval two --data two.csv
awk '$1 == "pressure" || $1 == "warmth" { printf "%s %.4g\n", $1, $2 }' out >told
same counted told "the errors of each target: $(cat told), by the answers $(cat counted)"
works eval two --data two.csv --json
tr -d ' \n' <out | grep -q '"values":\[{"label":"pressure","targets":390,"mse":.*{"label":"warmth",' || complain "--json lacks the targets: $(tail -n 5 out)"

# --- the report draws true and predicted values over time: 70 windows are held out
works run two --input two.csv
awk -F, 'NR > 1 && $1 >= 320 && $6 != "" { n++; w += ($5 - $7) ^ 2 } END { printf "%.4g", sqrt(w / n) }' out >counted
works report two
grep -q ">warmth over time: root mean squared error $(cat counted) in this stretch<" two/report.html || complain "no chart over time with an error of $(cat counted): $(grep -o '>[a-z]* over time[^<]*' two/report.html)"
grep -q '>pressure over time: ' two/report.html && grep -q 'The first 70 answers of the validation part' two/report.html || complain "the chart over time is not of 70 windows"
works report plant
grep -q '>load over time: .* one row ahead in this stretch<' plant/report.html && grep -q '>predicted 2 rows ahead<' plant/report.html || complain "no chart of both steps of a horizon"

# --- a folder of variants: the run with the best validation is taken, or the one that is named
cat >>bool.toml <<'END'
patience = 2
[[variants]]
name = "slow"
train.learning_rate = 1e-4
[[variants]]
name = "quick"
END
works train bool.toml --seeds 1..2 --out folder --set data.validation=0.3
for run in slow/seed-1 slow/seed-2 quick/seed-1 quick/seed-2; do
  awk -v run=$run '{ match($0, /"validation_loss":[-0-9.e]*/); v = substr($0, RSTART + 18, RLENGTH - 18) + 0; if (NR == 1 || v < least) least = v } END { printf "%.4g %s\n", least, run }' folder/$run/log.jsonl
done | sort -g >ranked
read -r loss best <ranked
works run folder --input bool.csv
[ "$(cat err)" = "folder: $best is taken, the best of 4 runs by validation loss, $loss; --run takes another one" ] || complain "the chosen run: $(cat err), not $(head -n 1 ranked)"
mv out chosen
works run folder/$best --input bool.csv
same chosen out "the chosen run and the run itself"
[ ! -s err ] || complain "of one run something is told: $(cat err)"
for command in 'eval --data bool.csv' 'run --input bool.csv' 'inspect' 'quantize --calibrate bool.csv'; do
  works ${command%% *} folder --run slow/seed-2 $([ "$command" = inspect ] || echo ${command#* })
done
[ -s folder/slow/seed-2/model-int8.slu ] || complain "quantize --run does not write beside that run's model"
works eval folder --run slow/seed-2 --data bool.csv
mv out named
works eval folder/slow/seed-2 --data bool.csv
same named out "--run and the run's own folder"
refused 2 '^--run slow: folder has no such run; give one of quick/seed-1, quick/seed-2, slow/seed-1, slow/seed-2$' eval folder --run slow --data bool.csv
refused 2 '^--run slow: chooses among the runs of a folder, but bool is one model' eval bool --run slow --data bool.csv
rm folder/comparison.json
refused 2 '^folder: is a directory of runs; say which one is meant with --run: quick/seed-1, ' eval folder --data bool.csv
works train bool.toml --out blind --set data.validation=0 --set train.patience=0
refused 2 '^blind: .* has no validation to compare it by; say which one is meant with --run: quick, slow$' run blind --input bool.csv

# --- windows whose class is that of most rows: the true class is the training's
awk 'BEGIN { print "s,act,a"
  for (s = 0; s < 6; s++) for (t = 0; t < 40; t++) { c = int((t + s) / 5) % 3 == 0; printf "%d,%s,%.2f\n", s, t % 9 == 4 ? "" : c ? "walk" : "rest", c * 2 + t % 4 / 9 } }' >moves.csv
cat >moves.toml <<'END'
[data]
train = "moves.csv"
sequence = "s"
target = "act"
window = 6
window_class = "majority"
[model]
layers = [ { gru = 4 }, { dense = 2, activation = "softmax" } ]
[train]
epochs = 2
END
works train moves.toml --out moves
works run moves --input moves.csv --output answers.csv
# Of equally frequent classes the one of the last of these rows counts.
awk -F, 'NR == FNR { if (FNR > 1) act[$1 "," n[$1]++] = $2; next }
  FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  { split($1, w, ":"); delete count; most = ""
    for (t = w[2] + 5; t >= w[2]; t--) { one = act[w[1] "," t]; if (one != "") count[one]++ }
    for (t = w[2] + 5; t >= w[2]; t--) { one = act[w[1] "," t]; if (one != "" && (most == "" || count[one] > count[most])) most = one }
    rows++; if ($(at["true"]) != most) { print; exit 1 } }
  END { exit rows < 100 }' moves.csv answers.csv >wrong || complain "the true class of a majority window: $(cat wrong)"

# --- a class that is the name of the file or of its folder is the true one of a file named so
mkdir -p wave/up wave/down
for i in 0 1 2 3 4 5 6 7; do
  awk -v i=$i 'BEGIN { print "a"; for (t = 0; t < 5; t++) print i / 9 + t / 5 }' >wave/up/w$i.csv
  awk -v i=$i 'BEGIN { print "a"; for (t = 0; t < 5; t++) print i / 9 - t / 5 }' >wave/down/w$i.csv
  cp wave/up/w$i.csv wave/rise_$i.csv && cp wave/down/w$i.csv wave/fall_$i.csv
done
for from in folder file; do
  [ $from = folder ] && files='wave/*/*.csv' || files='wave/*_*.csv'
  printf '[data]\ntrain = "%s"\nsequence = ""\ntarget_from = "%s"\n[model]\nlayers = [ { gru = 3 }, { dense = 2, activation = "softmax" } ]\n[train]\nepochs = 1\nbatch = 4\n' "$files" $from >named.toml
  works train named.toml --out $from
done
column_of_run() { works run "$1" --input "$2" && column "$3" out | sort -u; }
[ "$(column_of_run folder wave/up/w3.csv true)" = up ] || complain "the true class of a folder: $(cat out)"
[ "$(column_of_run file wave/fall_3.csv true)" = fall ] || complain "the true class of a file: $(cat out)"
cp wave/up/w3.csv unknown.csv
[ "$(column_of_run file unknown.csv true)" = "no column" ] || complain "a name that is no class is a true one: $(cat out)"

# --- an array of [sequences][steps][features] has several sequences, and as many features as the
# model
awk 'BEGIN { print "sequence,label,x0,x1"; for (s = 0; s < 20; s++) for (t = 0; t < 2; t++) printf "%d,%s,%d,%d\n", s, s % 2 ? "b" : "a", s % 2, t }' >pairs.csv
printf '[data]\ntrain = "pairs.csv"\n[model]\nlayers = [ { gru = 4 }, { dense = 2, activation = "softmax" } ]\n[train]\nepochs = 1\n' >pairs.toml
works train pairs.toml --out pairs
# float32_array SHAPE WORD...: an .npy as numpy.save writes it; 0 and 1 are such numbers.
float32_array() {
  local header
  header=$(printf "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" "$1")
  printf '\x93NUMPY\x01\x00v\x00%-117s\n' "$header"
  shift
  for number in "$@"; do [ "$number" = 1 ] && printf '\x00\x00\x80\x3f' || printf '\x00\x00\x00\x00'; done
}
float32_array '(3, 2, 2)' 0 0 0 1  1 0 1 1  0 0 0 1 >three.npy
works run pairs --input three.npy --output three.csv
head -n 5 pairs.csv >first.csv && works run pairs --input first.csv --output two.csv
cut -d, -f2- three.csv | head -n 3 >got && cut -d, -f2,3,4 two.csv >expected
same expected got "the answers to an array of sequences and to the same rows"
[ "$(cut -d, -f1 three.csv | tr '\n' ' ')" = 'sequence 0 1 2 ' ] || complain "the sequences of an array: $(cat three.csv)"
float32_array '(3, 2, 3)' 0 0 0 1 1 0  1 1 0 0 0 1  0 0 0 0 0 0 >wider.npy
refused 2 'wider\.npy: .*3 feature columns, but the model expects 2: not expected x2' run pairs --input wider.npy

# --- many classes: the pairs that are taken for one another, not a matrix
awk 'BEGIN { print "sequence,label,a,b"; for (s = 0; s < 450; s++) for (t = 0; t < 2; t++) printf "%d,c%d,%d,%d\n", s, s % 150, s % 150 / 12, s % 12 }' >many.csv
printf '[data]\ntrain = "many.csv"\ntest = "many.csv"\n[model]\nlayers = [ { gru = 4 }, { dense = 150, activation = "softmax" } ]\n[train]\nepochs = 1\n' >many.toml
works train many.toml --out many
[ "$(wc -c <out)" -lt 3000 ] || complain "train prints $(wc -c <out) bytes of 150 classes"
grep -q '^true *predicted *times$' out || complain "train tells no confused pairs: $(head -n 8 out)"
works eval many --data many.csv
[ "$(wc -c <out)" -lt 4000 ] || complain "eval prints $(wc -c <out) bytes of 150 classes"
mv out evaluated
works run many --input many.csv --output answers.csv
awk -F, 'NR == 1 { next } { p = $(NF - 1); t = $NF; if (p != t) n[t " " p]++ } END { for (pair in n) print n[pair], pair }' answers.csv | sort -n -r | head -n 1 | cut -d' ' -f1 >counted
awk '/^true *predicted/ { getline; print $3; exit }' evaluated >told
same counted told "the times of the most confused pair"
works eval many --data many.csv --json
grep -q '"confused": \[' out && ! grep -q '"confusion"' out || complain "--json of 150 classes has a matrix"
finish
