#!/usr/bin/env bash
# A training that is killed at any moment, interrupted, or out of room goes on from there, to the
# same bytes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

vowels=$repository/tools/recipes/japanese-vowels
awk -F, 'NR == 1 || $1 % 3 == 0' "$vowels/train.csv" >train.csv
cat >recipe.toml <<'END'
[data]
train = "train.csv"
validation = 0.2

[model]
layers = [ { gru = 24 }, { dense = 9, activation = "softmax" } ]
dropout = { input = 0.2, output = 0.5 }

[train]
epochs = 60
batch = 8
optimizer = "adamw"
learning_rate = 3e-2
schedule = "plateau"
schedule_factor = 0.5
plateau_patience = 1
weight_decay = 1e-2
clip_norm = 1.0
patience = 15
validate_every = 2
threads = 1
END

recipe=recipe.toml
lines() { { wc -l <"$1"; } 2>/dev/null || echo 0; }
now() { date +%s%N; }

# A text of six letters, as a stream in pieces.
awk 'BEGIN { for (i = 0; i < 6000; i++) { x = (x * 5 + i * i + 3) % 64; printf "%s", substr("abcdef", 1 + x % 6, 1) } }' >text.txt
cat >text.toml <<'END'
[data]
train = "text.txt"
format = "text"
target_per = "row"
window = 12
validation = 0.2

[model]
layers = [ { embedding = 6 }, { lstm = 12 }, { batch_norm = true }, { dense = 8, activation = "softmax" } ]
dropout = { output = 0.3 }

[train]
epochs = 10
batch = 6
carry = true
learning_rate = 1e-2
threads = 1
END

# whole NAME OPTION...: an uninterrupted run. Its time with a checkpoint after every batch is in
# $took, that of one epoch alone in $start, both in milliseconds.
whole() {
  local name=$1 begin
  shift
  works train $recipe --out "$name" "$@"
  begin=$(now)
  works train $recipe --out timed --force "$@" --set train.checkpoint_seconds=0
  took=$((($(now) - begin) / 1000000))
  same "$name/model.slu" timed/model.slu "checkpoints seldom and always"
  begin=$(now)
  works train $recipe --out timed --force "$@" --set train.epochs=1
  start=$((($(now) - begin) / 1000000 + 1))
}

# equal ONE OTHER FILE...: the files of two runs, and nothing else in the other one.
equal() {
  local one=$1 other=$2 file
  for file in log.jsonl model.slu model-f32.slu; do
    [ ! -e "$one/$file" ] || same "$one/$file" "$other/$file" "uninterrupted and resumed"
  done
  [ "$(ls -A "$one" | tr '\n' ' ')" = "$(ls -A "$other" | tr '\n' ' ')" ] || complain "$other holds $(ls -A "$other" | tr '\n' ' ')"
}

# killed WHOLE TIMES OPTION...: the same run, killed at so many random moments and resumed each
# time; then it ends undisturbed, as hit_WHOLE. A run that is done before that is compared, and
# another one begins.
killed() {
  local whole=$1 name=hit_$1 times=$2 kills=0 attempts=0 pid code options wait
  shift 2
  while [ $kills -lt "$times" ] && [ $attempts -lt $((4 * times)) ]; do
    attempts=$((attempts + 1))
    options=(--resume "$name")
    [ -e "$name/recipe.toml" ] || options=($recipe --out "$name" --force "$@")
    # Every fourth time before or while it begins to train; otherwise after a part of the run, so
    # that all kills together span it.
    if [ $((attempts % 4)) -eq 0 ]; then wait=$((RANDOM % start)); else wait=$((start + RANDOM % (3 * took / (2 * times) + 1))); fi
    "${sluice[@]}" train "${options[@]}" --set train.checkpoint_seconds=0 >out 2>err </dev/null &
    pid=$!
    sleep "$(awk -v ms=$wait 'BEGIN { print ms / 1000 }')"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    if [ $code -eq 137 ]; then
      kills=$((kills + 1))
    elif [ $code -eq 0 ]; then # the machine has become faster
      equal "$whole" "$name"
      rm -rf "$name"
      took=$((took / 2))
    else
      complain "$name, attempt $attempts: exit code $code: $(cat err)"
    fi
  done
  echo "$name: killed $kills times, at last in epoch $(($(lines "$name/log.jsonl") + 1)) of $(lines "$whole/log.jsonl")"
  [ $kills -eq "$times" ] || complain "$name: killed only $kills times"
  [ -e "$name/recipe.toml" ] || works train $recipe --out "$name" --force "$@"
  works train --resume "$name"
  equal "$whole" "$name"
}

# --- killed at random moments
whole run
killed run 20
# A layer without bounds, whose roundings follow the outputs that it was seen to give.
aware=(--set quantize.aware=true --set train.epochs=24 --set
  'model.layers=[{dense=12,activation="relu"},{gru=16},{dense=9,activation="softmax"}]')
whole aware "${aware[@]}"
killed aware 12 "${aware[@]}"
pruned=(--set train.prune=0.7 --set train.prune_end=0.8 --set train.prune_every=3 --set train.epochs=24 --set quantize.aware=true)
whole pruned "${pruned[@]}"
killed pruned 12 "${pruned[@]}"
works train $recipe --out threads "${pruned[@]}" --threads 3
equal pruned threads
recipe=text.toml
whole text
killed text 12
recipe=recipe.toml

# --- a complete run is complete
works train --resume run
grep -q '^run: is complete; .* sluice train run/recipe.toml --init run --set train.epochs=N --out DIR$' out || complain "a complete run resumed: $(cat out err)"
refused 2 'nothing/recipe\.toml: .*no such file' train --resume nothing
refused 2 '^nothing/recipe\.toml: .*no such file' train --resume nothing --set train.epochs=9
absent nothing

# under_way NAME OPTION...: a training that lasts long, past its second epoch; its process is
# $training.
under_way() {
  local name=$1
  shift
  "${sluice[@]}" train $recipe --out "$name" --set train.epochs=1000000 --set train.patience=0 --set train.checkpoint_seconds=0 \
    "$@" >out 2>err </dev/null &
  training=$!
  for _ in $(seq 600); do
    [ "$(lines "$name/log.jsonl")" -ge 2 ] && break
    sleep 0.05
  done
  [ "$(lines "$name/log.jsonl")" -ge 2 ] || complain "$name: no line of the log while it trains: $(cat err)"
}

# --- interrupted
"${sluice[@]}" train $recipe --out interrupted --set train.checkpoint_seconds=0 >out 2>err </dev/null &
training=$!
while kill -0 $training 2>/dev/null && [ ! -s interrupted/log.jsonl ]; do sleep 0.01; done
kill -INT $training 2>/dev/null
wait $training
code=$?
if [ $code -eq 0 ]; then
  echo "skipped, was done before SIGINT came: an interrupted training"
else
  [ $code -eq 130 ] || complain "SIGINT: exit code $code: $(cat err)"
  tail -n 1 err | grep -q 'sluice train --resume interrupted$' || complain "SIGINT does not say how to go on: $(tail -n 1 err)"
  works run interrupted/model.slu --input train.csv
  works train --resume interrupted --threads 2
  equal run interrupted
fi

# --- diverged: a model is kept, and the event is told
"${sluice[@]}" train $recipe --out wild --set train.optimizer=sgd --set train.schedule=constant --set train.weight_decay=0 --set train.clip_norm=0 \
  --set train.l2=0.1 --set train.learning_rate=100 --set train.warmup=20 >out 2>err </dev/null
[ $? -eq 1 ] || complain "a training that diverges: $(tail -n 1 err)"
tail -n 1 err | grep -Eq '^training diverged in epoch [0-9]+, batch [0-9]+: the loss is .*layer [12] .*wild/model\.slu holds ' ||
  complain "a training that diverges: $(tail -n 1 err)"
cp err diverged
[ ! -s out ] || complain "a training that diverges has something to print: $(head -n 3 out)"
works run wild/model.slu --input train.csv
cp -r wild again
"${sluice[@]}" train --resume again >out 2>err2 </dev/null
[ $? -eq 1 ] || complain "resumed where it diverged: $(tail -n 1 err2)"
[ "$(tail -n 1 diverged | sed 's/ wild.*//')" = "$(tail -n 1 err2 | sed 's/ again.*//')" ] || complain "resumed, it diverged elsewhere: $(tail -n 1 err2)"
same wild/model.slu again/model.slu "kept where a training diverged, uninterrupted and resumed"

# --- two at once, a folder that disappears
under_way busy
refused 2 '^busy: another training uses' train --resume busy
mv busy elsewhere
wait $training
code=$?
[ $code -eq 1 ] || complain "a deleted folder: exit code $code"
tail -n 1 err | grep -q "^busy: the run's files are gone" || complain "a deleted folder: $(tail -n 1 err)"
absent busy

# --- a disk that fills up once there is a best model to keep: a limit on the size of files stands
# for it
under_way sizes
kill -9 $training
wait $training 2>/dev/null
size=$(wc -c <sizes/checkpoint.slc) model=$(wc -c <run/model.slu)
(
  ulimit -f $(((size - model / 2) / 1024))
  trap '' XFSZ
  "${sluice[@]}" train $recipe --out full --set train.checkpoint_seconds=0 2> >(cat >err) >out
  echo $? >code
)
[ "$(cat code)" = 1 ] || complain "a disk that fills up: exit code $(cat code), not 1"
tail -n 1 err | grep -q '^full/checkpoint\.slc: cannot be written' || complain "a disk that fills up: $(tail -n 1 err)"
[ "$(ls -A full | tr '\n' ' ')" = "checkpoint.slc log.jsonl recipe.toml " ] || complain "a disk that filled up left $(ls -A full | tr '\n' ' ')"
works train --resume full
equal run full

# --- checkpoints that are not this run's
cp -r sizes broken
head -c 1000 sizes/checkpoint.slc >broken/checkpoint.slc
refused 2 '^broken/checkpoint\.slc: is damaged' train --resume broken
{ head -c 2000 sizes/checkpoint.slc && printf '\377\377\377' && tail -c +2004 sizes/checkpoint.slc; } >broken/checkpoint.slc
refused 2 '^broken/checkpoint\.slc: is damaged' train --resume broken
cp train.csv broken/checkpoint.slc
refused 2 '^broken/checkpoint\.slc: is not a checkpoint' train --resume broken
same sizes/log.jsonl broken/log.jsonl "a refused training left the log alone"
cp sizes/checkpoint.slc broken/checkpoint.slc
sed -i 's/^batch = 8/batch = 4/' broken/recipe.toml
refused 2 '^broken/checkpoint\.slc: .*another recipe \(train\.batch' train --resume broken
cp sizes/recipe.toml broken/recipe.toml
mkdir other && sed '9s/[0-9]$/&1/' train.csv >other/train.csv
cmp -s train.csv other/train.csv && complain "the changed data are the same"
refused 2 '^broken/checkpoint\.slc: the data have changed' train --resume broken --data-dir other
refused 2 'goes on by .* own recipe.*--seed' train --resume sizes --seed 3
refused 2 'goes on by .* own recipe.*--out' train --resume sizes --out x
refused 2 'goes on by .* own recipe.*--force' train --resume sizes --force
refused 2 'goes on by .* own recipe.*recipe\.toml' train recipe.toml --resume sizes
refused 2 '--set train\.epochs=3: changes the result, .*: sluice train sizes/recipe.toml --init sizes --set train.epochs=3 --out DIR$' train --resume sizes --set train.epochs=3
refused 2 'holds another run.*--resume' train $recipe --out sizes
same sizes/log.jsonl broken/log.jsonl "refused trainings left the log alone"

# --- the data may move
cp -r sizes moved
mkdir there && cp train.csv there && mv train.csv gone.csv
refused 2 'train\.csv: no such file' train --resume moved
"${sluice[@]}" train --resume moved --data-dir there >out 2>err </dev/null &
training=$!
before=$(lines sizes/log.jsonl)
for _ in $(seq 600); do
  [ "$(lines moved/log.jsonl)" -gt $((before + 1)) ] && break
  sleep 0.05
done
kill -INT $training
wait $training
[ $? -eq 130 ] || complain "data elsewhere: $(cat err)"

finish
