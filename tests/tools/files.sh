#!/usr/bin/env bash
# Files as people have them, from end to end: other separators, one row per sequence, gzip. The same
# data in another form give the same weights.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# told REGEX: the last command's progress has that line, once.
told() { [ "$(grep -cE -- "$1" err)" -eq 1 ] || complain "not told once: /$1/: $(head -n 5 err)"; }
untold() { ! grep -qE -- "$1" err || complain "told: /$1/: $(grep -E -- "$1" err)"; }
hash_of() { "${sluice[@]}" inspect "$1" --json | sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p' | head -n 1; }
same_weights() { [ "$(hash_of "$1")" = "$(hash_of "$2")" ] || complain "$1 and $2 have other weights"; }
has_gzip() { ! "${sluice[@]}" train recipe.toml --out unzipped --set data.train=train.csv.gz 2>&1 | grep -q 'built without zlib'; }

good_csv >train.csv
good_recipe >recipe.toml
works train recipe.toml --out plain
untold 'read as'

# --- separators and decimal commas, in training and in use, each file by itself
tr ',.' ';,' <train.csv >semi.csv
works train recipe.toml --out semi --set data.train=semi.csv
told "semi\.csv: read as: separated by ';', decimal comma$"
same_weights plain/model.slu semi/model.slu
works inspect semi/model.slu --json
grep -q "separated by ';', decimal comma" out || complain "the model has no record of its file's form"
works run plain --input train.csv --output expected.csv
works run semi --input train.csv --output answers.csv
untold 'read as'
same expected.csv answers.csv "a model of a file with semicolons answers plain CSV otherwise"
works run plain --input semi.csv --output answers.csv
told "semi\.csv: read as: separated by ';', decimal comma$"
same expected.csv answers.csv "the answers to a file with semicolons"
works eval plain --data semi.csv
works quantize plain --calibrate semi.csv --out small.slu --force
works train recipe.toml --out set --set data.train=semi.csv --set 'data.separator=";"' --set 'data.decimal=","'
untold 'read as'
same_weights plain/model.slu set/model.slu
refused 2 'train\.csv:1: 1 feature columns, but the model expects 2' run set --input train.csv
refused 2 '^--set data.separator=ab: "ab" separates no cells; give ' train recipe.toml --out no --set data.separator=ab
refused 2 'data\.decimal=x: "x" is not a decimal mark; give "auto", "\." or ","' train recipe.toml --out no --set data.decimal=x
refused 2 'data\.skip_rows=3: means nothing here' train recipe.toml --out no --set data.format=ts --set data.skip_rows=3

# --- missing values
sed '5s/,[^,]*$/,NA/; 7s/,[^,]*$/,/' train.csv >missing.csv
refused 2 'missing\.csv:5: b: "NA" is a missing value; give a number, or set data\.fill' train recipe.toml --out no --set data.train=missing.csv
for fill in mean previous; do
  works train recipe.toml --out $fill --set data.train=missing.csv --set data.fill=$fill
  told 'missing\.csv: missing values: b 4\.2 % of the rows; filled with '
  works eval $fill --data missing.csv --json
  ! grep -qE '"loss": (null|nan)' out || complain "missing values are not filled in eval: $(grep '"loss"' out)"
  works run $fill --input missing.csv
  works quantize $fill --calibrate missing.csv --out small.slu --force
  works train recipe.toml --out again --force --set data.train=missing.csv --set data.fill=$fill --threads 2
  same $fill/model.slu again/model.slu "another training on a file with missing values"
done
! cmp -s mean/model.slu previous/model.slu || complain "data.fill changes nothing"

# --- a value that makes a feature's deviation is named before training, and for calibration
sed '5s/,[^,]*$/,-9999/; 17s/,[^,]*$/,-9999/; 30s/,[^,]*$/,-9999/; 41s/,[^,]*$/,-9999/' train.csv >marked.csv
works train recipe.toml --out marked --set data.train=marked.csv --set data.validation=0
told '^warning: b: -9999 \(4 of 48 values\) makes its standard deviation .*: if it marks a missing value or a saturated sensor, set data\.missing = \["", .*"NA", .*"-9999"\] and data\.fill$'
works quantize marked --calibrate marked.csv --ranges min-max --out small.slu --force
told '^warning: b: -9999 \([0-9]* of [0-9]* values\) makes its standard deviation'
works train recipe.toml --out marked --force --set data.train=marked.csv --set 'data.missing=["", "-9999"]' --set 'data.fill="previous"'
untold 'standard deviation'
works quantize marked --calibrate marked.csv --out small.slu --force
untold 'standard deviation'

# --- one row per sequence, in five forms
awk 'BEGIN {
  for (s = 0; s < 12; s++) {
    row = s % 2 + 1
    for (t = 0; t < 5; t++) row = row "," sprintf("%.3f", (s % 2 ? 1 : -1) * (t + s / 10))
    print row
  }
}' >ucr.txt
(echo "label,t0,t1,t2,t3,t4" && cat ucr.txt) >wide.csv
tr , '\t' <ucr.txt >ucr.tsv
(printf '@problemName p\n@classLabel true 1 2\n@data\n' && awk -F, '{ print $2 "," $3 "," $4 "," $5 "," $6 ":" $1 }' ucr.txt) >p.ts
(printf '@relation p\n' && for t in 0 1 2 3 4; do echo "@attribute att$t numeric"; done &&
  printf '@attribute target {1,2}\n@data\n' && awk -F, '{ print $2 "," $3 "," $4 "," $5 "," $6 "," $1 }' ucr.txt) >p.arff
awk -F, 'BEGIN { print "sequence,label,x0" } { for (t = 2; t <= 6; t++) print NR - 1 "," $1 "," $t }' ucr.txt >long.csv
works train recipe.toml --out long --set data.train=long.csv
works run long --input long.csv --output expected.csv
for form in wide:wide.csv ucr:ucr.txt ucr:ucr.tsv ts:p.ts arff:p.arff; do
  format=${form%:*} file=${form#*:}
  works train recipe.toml --out $format --force --set data.train=$file --set data.format=$format
  same_weights long/model.slu $format/model.slu
  works run $format --input $file --output answers.csv
  same expected.csv answers.csv "the answers to $file"
  works eval $format --data $file
  works quantize $format --calibrate $file --out small.slu --force
  works report $format --out report.html
done
refused 2 'p\.ts: is no table; set data\.format = "ts"' train recipe.toml --out no --set data.train=p.ts
refused 2 'p\.arff: is no table; set data\.format = "arff"' train recipe.toml --out no --set data.train=p.arff
refused 2 'data\.window=3: means nothing here' train recipe.toml --out no --set data.format=wide --set data.window=3
awk -F, 'NR == 1 { print "sequence," $0 ",t5,t6,t7" } NR > 1 { print NR "," $0 ",1,2,3" }' wide.csv >wides.csv
works train recipe.toml --out wides --set data.train=wides.csv
cut -d, -f 2- wides.csv >wide8.csv
told 'wides\.csv: every sequence has one row, and the columns t0 to t7 are numbered; .*data\.format = "wide"'
refused 2 'wide8\.csv:1: sequence: no such column; .*columns t0 to t7, set data\.format = "wide"' train recipe.toml --out no --set data.train=wide8.csv

# --- gzip
gzip -k train.csv
if command -v gzip >/dev/null && has_gzip; then
  works train recipe.toml --out zipped --set data.train=train.csv.gz
  same plain/model.slu zipped/model.slu "gzip changes a model"
  works run plain --input train.csv.gz
  head -c 100 train.csv.gz >cut.csv.gz
  refused 2 'cut\.csv\.gz: is a damaged gzip file' run plain --input cut.csv.gz
  head -c 100000000 /dev/zero | gzip -9 >bomb.csv.gz
  (
    failures=0
    ulimit -v 1000000
    refused 2 'bomb\.csv\.gz: .* bytes that inflate to more than' run plain --input bomb.csv.gz
    exit $failures
  ) || complain "a bomb of gzip"
else
  echo "skipped: no gzip, or built without zlib"
fi

# --- many files: a list, a pattern; a file a sequence; its class from a column, its folder or name
mkdir -p gestures/up gestures/down flat
awk -F, 'NR > 1 {
  s = substr($1, 2)
  file = sprintf("gestures/%s/%02d.csv", $2, s)
  flat = sprintf("flat/%s_%02d.csv", $2, s)
  if (!(file in seen)) print "a,b" >file
  if (!(file in seen)) print "a,b" >flat
  seen[file] = 1
  print $3 "," $4 >file
  print $3 "," $4 >flat
}' train.csv
(head -n 1 train.csv && tail -n +2 train.csv | sort -s -t, -k2,2) >sorted.csv
works train recipe.toml --out sorted --set data.train=sorted.csv
works train recipe.toml --out folders --set 'data.train="gestures/*/*.csv"' --set data.target_from=folder
same_weights sorted/model.slu folders/model.slu
works train recipe.toml --out names --set 'data.train="flat/*.csv"' --set data.target_from=file
same_weights sorted/model.slu names/model.slu
works eval folders --data 'gestures/*/*.csv'
works eval folders --data gestures/up/01.csv
works run folders --input 'gestures/*/*.csv' --output answers.csv
[ "$(cut -d, -f 1 answers.csv | head -n 2 | tail -n 1)" = down/00.csv ] || complain "sequences are not called by their files: $(head -n 2 answers.csv)"
works report folders --out report.html
works quantize folders --calibrate 'gestures/*/*.csv' --out small.slu --force
works train folders/recipe.toml --out again --force
same folders/model.slu again/model.slu "a run's recipe, with a pattern, gives another model"
(cd gestures && "${sluice[@]}" eval ../folders --data up/01.csv) >/dev/null 2>&1 || complain "a file by its own folder"
(head -n 1 train.csv && sed -n '26,$p' train.csv) >second.csv
head -n 25 train.csv >first.csv
works train recipe.toml --out list --set 'data.train=["first.csv", "second.csv"]'
same_weights plain/model.slu list/model.slu
grep -q 'train = \["' list/recipe.toml || complain "a list of files is not in the run's recipe"
works train list/recipe.toml --out again --force --threads 2
same list/model.slu again/model.slu "a run's recipe, with a list, gives another model"
works report list --data-dir . --out report.html
works run list --input '[fs][ie][rc]*[td].csv' --output answers.csv
works run list --input train.csv --output expected.csv
same <(sed 's/^[a-z]*\.csv:s/s/' answers.csv) expected.csv "the answers to two files"
refused 2 'nothing\*\.csv: no file has a name of this pattern' train recipe.toml --out no --set 'data.train="nothing*.csv"'
refused 2 'first\.csv: is named twice' train recipe.toml --out no --set 'data.train=["first.csv", "f*t.csv"]'
refused 2 'gestures: .*directory' train recipe.toml --out no --set data.train=gestures
printf 'a,c\n1,2\n' >gestures/up/zz.csv
refused 2 'gestures/up/zz\.csv:1: .*missing b, not expected c' train recipe.toml --out no --set 'data.train="gestures/*/*.csv"' --set data.target_from=folder
printf 'a,b\n1,x\n' >gestures/up/zz.csv
refused 2 'gestures/up/zz\.csv:2: b: "x" is not a number' train recipe.toml --out no --set 'data.train="gestures/*/*.csv"' --set data.target_from=folder
rm gestures/up/zz.csv
refused 2 'data\.target_from="folder": means nothing here|data\.target_from=folder: means nothing here' train recipe.toml --out no --set data.target_from=folder --set data.target_type=value --set train.loss=mse

# --- a column of sequences that the recipe names and no file has; a folder of folders; the class in
# a name, of which the message about a missing target tells
refused 2 'gestures/.*: idd: no file has this column; correct data\.sequence, or leave it out' train recipe.toml --out no --set 'data.train="gestures/*/*.csv"' --set data.target_from=folder --set data.sequence=idd
mkdir -p cascade/one && cp gestures/up/*.csv cascade/one
refused 2 'cascade: is a directory; give its files, by a pattern such as ".*cascade/\*/\*\.csv"' train recipe.toml --out no --set data.train=cascade
refused 2 'label: no such column; .*or, if the class is the name of a file or a folder, set data\.target_from' train recipe.toml --out no --set 'data.train="gestures/*/*.csv"'

# --- a file in Windows-1252 is converted, and has the classes of the same file in UTF-8
awk 'BEGIN { print "sequence,label,a"; for (s = 0; s < 20; s++) for (t = 0; t < 2; t++) printf "%d,%s,%d\n", s, s % 2 ? "l\xe4uft \x80" : "steht", s % 2 + t }' >latin.csv
awk 'BEGIN { print "sequence,label,a"; for (s = 0; s < 20; s++) for (t = 0; t < 2; t++) printf "%d,%s,%d\n", s, s % 2 ? "läuft €" : "steht", s % 2 + t }' >utf8.csv
printf '[data]\ntrain = "latin.csv"\n[model]\nlayers = [ { gru = 4 }, { dense = 2, activation = "softmax" } ]\n[train]\nepochs = 1\n' >latin.toml
works train latin.toml --out latin
told 'latin\.csv: read as: Windows-1252'
works eval latin --data utf8.csv
untold 'Windows'
awk 'NR == 5 { print "4,läuft €,1" } { print }' latin.csv >mixed.csv
refused 2 'mixed\.csv:[0-9]+: byte e4 is not UTF-8; convert the file' train latin.toml --out no --set data.train=mixed.csv

# --- the words of a header that is elsewhere, of a decimal mark, of a model's column
printf 'a report;;\n;;\nsequence;label;a\n0;x;1,5\n' >preamble.csv
refused 2 'no such column|has no name' train latin.toml --out no --set data.train=preamble.csv
grep -q 'data\.skip_rows' err || complain "a header in a later line: $(cat err)"
printf 'sequence;label;a\n0;x;1,55\n1;y;2,25\n' >comma.csv
refused 2 'comma\.csv:2: a: "1,55" is not a number; give one such as -0\.25, or set data\.decimal' train latin.toml --out no --set data.train=comma.csv --set 'data.decimal="."'
sed 's/^sequence/number/' utf8.csv >numbered.csv
refused 2 'numbered\.csv:1: sequence: no such column, but the model was trained with it; the columns are number, label, a' eval latin --data numbered.csv

# --- times: their order, doubles and gaps; as features
hours() { awk -v order="$1" 'BEGIN {
  print "date,price"
  for (i = 0; i < 60; i++) {
    h = order == "down" ? 59 - i : order == "gaps" && i > 30 ? i + 5 : order == "twice" ? int(i / 2) : order == "mixed" ? (i * 7) % 60 : i
    printf "2024-01-%02d %02d:00,%.3f\n", 1 + int(h / 24), h % 24, (h * 13 % 7) / 7
  }
}'; }
cat >series.toml <<'END'
[data]
train = "up.csv"
target = ["price"]
time = "date"
window = 4
[model]
layers = [ { gru = 4 }, { dense = 1 } ]
[train]
epochs = 2
END
for order in up down gaps twice mixed; do hours $order >$order.csv; done
works train series.toml --out up
untold 'date'
works train series.toml --out other --set data.train=down.csv --force
told 'down\.csv: date: the times go backwards, the newest first'
works train series.toml --out other --set data.train=gaps.csv --force
told 'gaps\.csv: date: 1 row after a gap of up to 6 h, where the usual step is 1 h \(first in line 33\)'
works train series.toml --out other --set data.train=twice.csv --force
told 'twice\.csv: date: 30 rows with the time of the row before \(first in line 3\)'
# Each series has a step of its own, here 1 and 10, in which 2 and 20 are gaps.
awk 'BEGIN { print "date,home,price"; for (h = 0; h < 2; h++) for (i = 0; i < 30; i++) printf "%d,%d,%.3f\n", i * (h ? 10 : 1), h, (i * 13 % 7) / 7 }' >steps.csv
works train series.toml --out other --set data.train=steps.csv --set data.sequence=home --force
untold 'steps\.csv: date'
awk -F, -v OFS=, 'NR > 20 && $2 == 0 { $1 = $1 + 1 } { print }' steps.csv >slip.csv
works train series.toml --out other --set data.train=slip.csv --set data.sequence=home --force
told 'slip\.csv: date: 1 row after a gap of up to 2, where the usual step is 1 \(first in line 21\)'
works train series.toml --out other --set data.train=mixed.csv --force
told 'mixed\.csv: date: [0-9]+ rows earlier than the row before, so the rows are not in order'
works train series.toml --out other --set data.train=down.csv --set data.time= --set 'data.ignore=["date"]' --force
told 'down\.csv: date: the times go backwards'
works train series.toml --out clock --set 'data.time_features=["hour", "weekday"]'
told 'a device computes them'
untold 'hour_sin.* seem'
works eval clock --data up.csv
works eval clock --data down.csv
told 'down\.csv: date: the times go backwards'
works run clock --input up.csv
works inspect clock/model.slu
grep -q 'hour_sin' out || complain "the features of a time are not named: $(head -n 8 out)"
refused 2 'data\.time_features=\["day"\]: "day" is not a part of a time' train series.toml --out no --set 'data.time_features=["day"]'
refused 2 'up\.csv:2: date: .* is not a number; .*data\.time' train series.toml --out no --set data.time=

# --- ways of reading that many files share are told in one line; falling counters; a value as class
mkdir -p many
for i in 0 1 2 3 4 5; do awk -v i=$i 'BEGIN { print "a;b"; for (t = 0; t < 4; t++) printf "%d,5;%d,25\n", (i * 7 + t * 5) % 11, (i + t * 3) % 5 }' >many/$([ $((i % 2)) = 0 ] && echo up || echo down)_$i.csv; done
works train recipe.toml --out other --force --set 'data.train="many/*.csv"' --set data.target_from=file
told "many/down_1\.csv and 5 more: read as: separated by ';', decimal comma$"
awk -F, 'NR == 1 { print $0 ",t" } NR > 1 { print $0 "," 500 - NR }' train.csv >falling.csv
works train recipe.toml --out other --force --set data.train=falling.csv
told 'falling\.csv: t seems to be a time or a counter'
awk 'BEGIN { print "sequence,label,a"; for (s = 0; s < 20; s++) for (t = 0; t < 2; t++) printf "%d,%.3f,%d\n", s, s * 0.37, s % 3 + t }' >regression.csv
refused 2 'holds out none of them, since most have a number of their own as their class; .*data\.target_type = "value"' train latin.toml --out no --set data.train=regression.csv

# --- a counter that became a feature
awk -F, 'NR == 1 { print $0 ",t" } NR > 1 { print $0 "," NR }' train.csv >counted.csv
works train recipe.toml --out counted --set data.train=counted.csv
told 'counted\.csv: t seems to be a time or a counter, and became a feature'

# --- texts from CSV; texts of one token each
(echo 'label,text' && awk 'BEGIN { for (i = 0; i < 12; i++) printf "%d,\"so, %s\"\n", i % 2, i % 2 ? "good" : "bad" }') >texts.csv
cat >texts.toml <<'END'
[data]
train = "texts.csv"
format = "tsv"
[model]
layers = [ { embedding = 4 }, { gru = 4 }, { dense = 2, activation = "softmax" } ]
[train]
epochs = 2
END
works train texts.toml --out texts
untold 'token'
works run texts --input texts.csv
sed 's/so, //' texts.csv >words.csv
works train texts.toml --out words --set data.train=words.csv
told 'words\.csv: every text is one token, .*data\.tokens = "characters"'
absent no

finish
