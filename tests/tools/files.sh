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
  works eval $fill --data missing.csv
  works run $fill --input missing.csv
  works quantize $fill --calibrate missing.csv --out small.slu --force
  works train recipe.toml --out again --force --set data.train=missing.csv --set data.fill=$fill --threads 2
  same $fill/model.slu again/model.slu "another training on a file with missing values"
done
! cmp -s mean/model.slu previous/model.slu || complain "data.fill changes nothing"

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
    ulimit -v 1000000
    refused 2 'bomb\.csv\.gz: .* bytes that inflate to more than' run plain --input bomb.csv.gz
    exit $failures
  ) || complain "a bomb of gzip"
else
  echo "skipped: no gzip, or built without zlib"
fi
absent no

finish
