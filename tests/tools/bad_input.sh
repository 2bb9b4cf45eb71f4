#!/usr/bin/env bash
# Each error of a request is told in one line, with exit code 2, and nothing is left behind.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

good_csv >train.csv
good_csv >good.csv
good_recipe >recipe.toml
works train recipe.toml --out good
model=good/model.slu

# refused_data REGEX: train.csv is wrong; the recipe is good.
refused_data() {
  refused 2 "$1" train recipe.toml --out run
  absent run
  good_csv >train.csv
}

# --- no argument has the name of an option, which newer versions of CLI11 refuse at every start
for command in $("${sluice[@]}" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\+\) .*/\1/p'); do
  "${sluice[@]}" "$command" --help >help
  commands+=" $command"
  for argument in $(sed -n '/^Positionals:/,/^$/s/^  \([^ ]\+\).*/\1/p' help); do
    grep -q -- "--$argument\b" help && complain "sluice $command: the argument \"$argument\" has the name of an option"
  done
done
[ "$(wc -w <<<"${commands:-}")" -ge 7 ] || complain "found the help of these commands only: ${commands:-}"

# --- files that are not there, or not files
refused 2 '^nothing\.toml: .*no such file' train nothing.toml --out run
refused 2 'nothing\.slu: .*no such file' eval nothing.slu --data good.csv
refused 2 'nothing\.slu: .*no such file' run nothing.slu --input good.csv
refused 2 'nothing\.slu: .*no such file' inspect nothing.slu
refused 2 'nothing\.slu: .*no such file' export nothing.slu --out c
refused 2 'nothing\.csv: .*no such file' eval $model --data nothing.csv
refused 2 'nothing\.csv: .*no such file' run $model --input nothing.csv --output answers.csv
refused 2 'directory' run . --input good.csv
refused 2 'directory' run $model --input . --output answers.csv
refused 2 'directory' train . --out run
refused 2 'nothing/train\.csv: .*no such file' train recipe.toml --out run --data-dir nothing
refused 2 'nothing\.csv: .*no such file' train recipe.toml --out run --set data.train=nothing.csv
refused 2 'nothing\.csv: .*no such file' train recipe.toml --out run --set data.test=nothing.csv
mkdir closed
refused 2 'closed.*directory' train recipe.toml --out run --set data.train=closed
if can_lose_rights; then
  cp train.csv closed/train.csv
  chmod 000 closed
  without_rights refused 2 'closed/train\.csv: .*[Pp]ermission' train recipe.toml --out run --data-dir closed
  without_rights refused 1 'closed/model\.c: .*cannot be written' export $model --out closed
  chmod 755 closed
else
  echo "skipped, root cannot become another user here: a directory that cannot be read"
fi
"${sluice[@]}" inspect nothing.slu 2>/dev/full
[ $? -eq 2 ] || complain "an error that cannot be told changes the exit code"
absent run c answers.csv

# --- data
: >train.csv && refused_data 'train\.csv.*empty'
echo "sequence,label,a,b" >train.csv && refused_data 'train\.csv.*(no rows|header|no data)'
sed -i '5s/$/,1/' train.csv && refused_data 'train\.csv:5: .*5.*4'
sed -i '6s/,[^,]*$//' train.csv && refused_data 'train\.csv:6: .*3.*4'
sed -i '4s/,[^,]*$/,abc/' train.csv && refused_data 'train\.csv:4: .*b.*abc'
sed -i '4s/,[^,]*$/,1.5x/' train.csv && refused_data 'train\.csv:4: .*b.*1\.5x'
sed -i '4s/,[^,]*$/,/' train.csv && refused_data 'train\.csv:4: .*b'
for bad in nan NaN inf -inf Infinity 1e999; do
  sed -i "7s/,[^,]*\$/,$bad/" train.csv && refused_data "train\\.csv:7: .*b.*$bad"
done
sed -i '1s/,b/,a/' train.csv && refused_data 'train\.csv:1: .*a'
sed -i '1s/label/lable/' train.csv && refused_data 'train\.csv:1: .*label'
sed -i '1s/sequence/number/' train.csv && refused_data 'train\.csv:1: .*sequence'
echo 's0,down,1,2' >>train.csv && refused_data 'train\.csv:[0-9]*: .*s0'
sed -i '3s/down/up/' train.csv && refused_data 'train\.csv:3: .*(label|target)'
sed -i '3s/down/"do\nwn"/' train.csv && refused_data 'train\.csv:3: .*do\?wn'
sed -i '4s/down/do\x00wn/' train.csv && refused_data 'train\.csv:4: .*byte 0'
head -c 3000 /dev/urandom >train.csv && refused_data 'train\.csv'
printf 'PK\003\004' >train.npz && refused 2 'train\.npz' train recipe.toml --out run --set data.train=train.npz
sed 's/up/sideways/' train.csv >test.csv
refused 2 'test\.csv:[0-9]*: .*sideways' train recipe.toml --out run --set data.test=test.csv
refused 2 'test\.csv:[0-9]*: .*sideways' eval $model --data test.csv
cut -d, -f1-3 good.csv >narrow.csv
refused 2 'narrow\.csv:1: .*b' eval $model --data narrow.csv
refused 2 'narrow\.csv:1: .*b' run $model --input narrow.csv --output answers.csv
refused 2 'narrow\.csv:1: .*b' train recipe.toml --out run --set data.test=narrow.csv
sed 's/$/,1/; 1s/1$/c/' good.csv >wide.csv
refused 2 'wide\.csv:1: .*c' eval $model --data wide.csv
works run $model --input wide.csv
works run $model --input good.csv --with label,a
refused 2 '--with c: good\.csv has no such column' run $model --input good.csv --with a,c --output answers.csv
refused 2 '--text: is answered in place of a file' run $model --input good.csv --text x
refused 2 'reads numbers, not text' run $model --text x --output answers.csv
refused 2 '--with a: names columns of a file' run $model --text x --with a
refused 2 'wide\.csv:1: .*c' train recipe.toml --out run --set data.test=wide.csv
: >empty.csv
refused 2 'empty\.csv.*empty' run $model --input empty.csv --output answers.csv
absent run answers.csv

# --- recipes
# refused_recipe REGEX SED-SCRIPT: the recipe after an edit.
refused_recipe() {
  good_recipe | sed "$2" >bad.toml
  refused 2 "$1" train bad.toml --out run
  absent run
}
refused_recipe '^bad\.toml:10: .*train\.bach.*batch' 's/batch = 8/bach = 8/'
refused_recipe '^bad\.toml:9: .*learning_rate' 's/epochs = 3/learningrate = 3/'
refused_recipe '^bad\.toml:8: .*trian' 's/\[train\]/[trian]/'
refused_recipe '^bad\.toml:10: train\.batch: .*"eight"|^bad\.toml:10: train\.batch: .*(text|integer|number)' 's/batch = 8/batch = "eight"/'
refused_recipe '^bad\.toml:10: train\.batch: .*8\.5|^bad\.toml:10: train\.batch: .*integer' 's/batch = 8/batch = 8.5/'
refused_recipe '^bad\.toml:10: train\.batch: 0 .*1' 's/batch = 8/batch = 0/'
refused_recipe '^bad\.toml:9: train\.epochs: -1' 's/epochs = 3/epochs = -1/'
refused_recipe '^bad\.toml:3: data\.validation: ' 's/validation = 0/validation = 1.5/'
refused_recipe '^bad\.toml:10: train\.loss: .*(cross_entropy|mse)' 's/batch = 8/loss = "crossentropy"/'
refused_recipe '^bad\.toml:10: train\.learning_rate: ' 's/batch = 8/learning_rate = nan/'
refused_recipe '^bad\.toml:9' 's/epochs = 3/epochs = /'
refused_recipe '^bad\.toml.*data\.train' '/train = /d'
refused_recipe '^bad\.toml.*model\.layers' '/layers = /d'
refused_recipe '^bad\.toml:6: model\.layers' 's/gru = 4/gru = 0/'
refused_recipe '^bad\.toml:7: model\.layers: layer 2.*0' 's/, { dense = 2/,\n  { dense = 0/'
refused_recipe '^bad\.toml:6: model\.layers.*(gru|lstm)' 's/gru = 4/transformer = 4/'
refused_recipe '^bad\.toml:6: model\.layers.*softmx' 's/softmax/softmx/'
refused_recipe '^bad\.toml:6: model\.layers.*(2|3)' 's/dense = 2/dense = 3/'
refused_recipe '^bad\.toml.*softmax' 's/softmax/tanh/'
refused 2 'train\.bach.*train\.batch' train recipe.toml --out run --set train.bach=8
refused 2 'train\.batch.*0' train recipe.toml --out run --set train.batch=0
refused 2 'train\.batch' train recipe.toml --out run --set train.batch=many
refused 2 'batch' train recipe.toml --out run --set batch
# bad_value KEY VALUE REGEX [OPTION...]: the message names the key, the value found and the value
# that would do.
bad_value() {
  local key=$1 value=$2 regex=$3
  shift 3
  refused 2 "^--set $key=$value: .*$regex" train recipe.toml --out run --set "$key=$value" "$@"
}
for value in -0.1 1 nan; do bad_value train.momentum $value '0 to 0.999999|momentum' --set train.optimizer=sgd; done
bad_value train.momentum 0.9 'sgd' --set train.optimizer=adam
bad_value train.nesterov yes 'true or false' --set train.optimizer=sgd --set train.momentum=0.9
bad_value train.nesterov true 'momentum' --set train.optimizer=sgd
bad_value train.nesterov true 'sgd'
for value in -0.1 1 '"high"'; do bad_value train.alpha "$value" '0|number' --set train.optimizer=rmsprop; done
for value in 0 -1 1.5; do bad_value train.schedule_every $value '1 or more' --set train.schedule=step; done
for value in 0 1.5 -0.5; do bad_value train.schedule_factor $value '(1e-06|1) or (more|less)' --set train.schedule=exponential; done
for value in -1 0.5; do bad_value train.warmup $value '0 or more'; done
for value in -1e-3 inf; do bad_value train.l1 $value '0 or more|1000000 or less'; done
bad_value train.l1_step proximl 'proximal'
for value in -1 nan; do bad_value train.clip_value $value '0 or more'; done
for value in everything 0 -1 '""' 2.5; do bad_value train.batch "$value" '(1 or more|"all")'; done
bad_value train.monitor acuracy 'did you mean "accuracy"' --set data.validation=0.5
bad_value train.monitor mae 'classes have no mae' --set data.validation=0.5
bad_value train.carry true 'means nothing here; it goes with data.format = "text"; give train.truncate'
bad_value train.truncate 5 'means nothing here; it goes with a table and data.target_per'
bad_value train.truncate -1 '0 or more' --set data.target_per=row
bad_value train.checkpoint_seconds -1 '0 or more'
bad_value train.validate_every 0 '1 or more' --set data.validation=0.5
bad_value train.plateau_patience -1 '0 or more'
bad_value train.diverged 0.5 '1 or more, or 0'
bad_value train.min_improvement -1 '0 or more'
# settings that contradict one another
bad_value train.patience 3 'validation split; set data\.validation'
bad_value train.schedule plateau 'validation split; set data\.validation'
bad_value train.monitor accuracy 'validation split; set data\.validation'
bad_value train.validate_every 2 'validation split; set data\.validation'
bad_value train.min_improvement 0.1 'train\.patience' --set data.validation=0.5
bad_value train.monitor accuracy 'no accuracy; give "loss"' --set data.validation=0.5 --set data.target_type=value --set train.loss=mse \
  --set 'model.layers=[{gru=4},{dense=1}]'
refused 2 'resume' train --resume
refused 2 'seed' train recipe.toml --out run --seed -1
refused 2 'threads' train recipe.toml --out run --threads two
refused 2 'out' train recipe.toml
absent run

# --- models
head -c 1000 $model >cut.slu
refused 2 'cut\.slu: .*(cut short|truncated)' inspect cut.slu
: >empty.slu
refused 2 'empty\.slu: ' inspect empty.slu
refused 2 'good\.csv: .*blob' inspect good.csv
{ head -c 500 $model && printf '\377' && tail -c +502 $model; } >flipped.slu
refused 2 'flipped\.slu: .*(damaged|checksum)' run flipped.slu --input good.csv
{ head -c 4 $model && printf '\377' && tail -c +6 $model; } >newer.slu
refused 2 'newer\.slu: .*newer' export newer.slu --out c
absent c

# --- the command line
refused 2 'tarin' tarin recipe.toml
refused 2 'nonsense' inspect $model --nonsense
refused 2 '--nonsense is not an option' --nonsense
refused 2 'rust' export $model --format rust --out c
refused 2 'input' run $model
for command in "train recipe.toml --out run" "eval $model --data good.csv" "run $model --input good.csv --output answers.csv" "inspect $model" \
  "export $model --out c"; do
  # shellcheck disable=SC2086
  SLUICE_ISA=altivec refused 2 'SLUICE_ISA.*altivec.*scalar' $command
done
absent run c answers.csv

# --- files that are already there stay
cp good.csv answers.csv
refused 2 '--output answers\.csv: ' run $model --input answers.csv --output answers.csv
refused 2 '--output good/model\.slu: ' run $model --input answers.csv --output good/model.slu
same good.csv answers.csv "the input was replaced by the answers"
cp -r good before
refused 2 'good.*--force' train recipe.toml --out good
same good/model.slu before/model.slu "a run was touched without --force"
works train recipe.toml --out good --force --seed 7
different good/model.slu before/model.slu "--force replaces the run"
[ "$(ls -A good | tr '\n' ' ')" = "log.jsonl model.slu recipe.toml " ] || complain "a run holds $(ls -A good | tr '\n' ' ')"
echo "mine" >file
refused 2 'file' train recipe.toml --out file
[ "$(cat file)" = mine ] || complain "a file was replaced by a run"

finish
