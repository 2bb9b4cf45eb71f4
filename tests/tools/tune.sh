# sluice tune: the search space; studies that are stopped, shared and killed; halving; budgets;
# refusals.
source "$(dirname "$0")/lib.sh"
data=$repository/tools/recipes/japanese-vowels

cat >small.toml <<END
[data]
train = "$data/train.csv"
test = "$data/test.csv"
target = "label"
validation = 0.2

[model]
layers = [
  { gru = { value = 8, low = 4, high = 16 } },
  { dense = 9, activation = "softmax" }
]
dropout = { input = { value = 0.1, low = 0.0, high = 0.5 }, output = 0.2 }

[train]
epochs = 6
batch = { value = 8, choices = [8, 16, 32] }
optimizer = { value = "adam", choices = ["adam", "sgd"] }
momentum = { value = 0.0, low = 0.0, high = 0.95, when = { train.optimizer = "sgd" } }
learning_rate = { value = 1e-2, low = 1e-3, high = 1e-1, log = true }
threads = 1

[tune]
method = "random"
trials = 10
END

# A database that another process holds for longer than 30 s: begun here, looked at in the end.
if command -v sqlite3 >/dev/null; then
  "${sluice[@]}" tune small.toml --study held.db --trials 1 --seeds 1 >/dev/null 2>&1 </dev/null
  (echo "BEGIN IMMEDIATE; SELECT 'held';" && sleep 45) | sqlite3 held.db >held.out &
  holder=$!
  (
    until [ -s held.out ]; do sleep 0.05; done
    "${sluice[@]}" tune small.toml --study held.db --trials 2 --seeds 1 >held.said 2>held.err </dev/null
    echo $? >held.code
  ) &
  waits=$!
fi

json() { "${sluice[@]}" tune --study "$1" --json | grep -v '"seconds"\|code_hash'; }
field() { "${sluice[@]}" tune --study "$1" --json | grep -o "\"$2\": [^,]*" | head -n 1 | sed 's/.*: //'; }
trials() { "${sluice[@]}" tune --study "$1" --list | tail -n +2; }
same() { cmp -s "$1" "$2" || complain "$3: $(diff "$1" "$2" | head -n 4)"; }

# The recipe's own values train as before, and are trial 0: its value is the figure that `sluice
# train` validates.
works train small.toml --out own
works tune small.toml --study a.db --seeds 1,2
json a.db >a.json
trained=$(tail -n 1 own/log.jsonl | grep -o '"validation_loss":[^,}]*' | sed 's/.*://')
tuned=$(grep -o '"value": [^,]*' a.json | head -n 1 | sed 's/.*: //')
[ "$(printf '%.12g' "$trained")" = "$(printf '%.12g' "$tuned")" ] || complain "trial 0 has $tuned, the training $trained"
[ "$(trials a.db | grep -c complete)" -eq 10 ] || complain "not 10 complete trials: $(trials a.db)"
grep -q '"accuracy"' a.json || complain "the winner was not tested"

# No trial sees the test set: without one all values are the same.
sed '/^test = /d' small.toml >untested.toml
works tune untested.toml --study untested.db --seeds 1
grep -c '"value"' a.json >values
grep '"value"\|"best_epoch"' a.json >tested.txt
json untested.db | grep '"value"\|"best_epoch"' >untested.txt
same tested.txt untested.txt "with a test set and without"
[ "$(cat values)" -ge 20 ] || complain "no values to compare: $(cat values)"

# Given again, it has nothing left to do; with more trials it goes on.
works tune small.toml --study a.db --seeds 1,2
[ -s err ] && complain "a finished study trained something: $(head -n 2 err)"
works tune --study a.db --trials 12 --seeds 1,2
[ "$(trials a.db | grep -c complete)" -eq 12 ] || complain "not 12 trials"

# Enqueued points come next; a point that was measured is not measured again.
works tune small.toml --study queue.db --trials 3 --enqueue "train.learning_rate=0.02, model.layers.1.gru=5" \
  --enqueue "train.learning_rate=0.02,model.layers.1.gru=5,train.optimizer=sgd,train.momentum=0.9" --enqueue "train.batch=8" --seeds 1
trials queue.db | sed -n 2p | grep -q 'model.layers.1.gru = 5, .*train.learning_rate = 0.02' || complain "not enqueued: $(trials queue.db)"
trials queue.db | sed -n 3p | grep -q 'train.momentum = 0.9' || complain "not enqueued: $(trials queue.db)"
grep -q "1 of the enqueued points were tried before" err || complain "a measured point was enqueued: $(cat err)"

# A study that was killed again and again is equal to an uninterrupted one: numbers, points, values,
# seeds. Halving too.
for kind in "" "--halving hyperband --set tune.eta=2 --set tune.validation=k-fold --set tune.folds=2"; do
  rm -f whole.db* killed.db*
  # shellcheck disable=SC2086
  works tune small.toml --study whole.db --seeds 1 $kind
  for pause in 0.05 0.1 0.15 0.2 0.25; do
    # shellcheck disable=SC2086
    setsid "${sluice[@]}" tune small.toml --study killed.db --seeds 1 $kind >out 2>err </dev/null &
    sleep "$pause"
    kill -9 -- -$! 2>/dev/null
    wait $! 2>/dev/null
  done
  # shellcheck disable=SC2086
  works tune small.toml --study killed.db --seeds 1 $kind
  json whole.db >whole.json
  json killed.db >killed.json
  same whole.json killed.json "killed and gone on with ($kind)"
done

# A trial that was stopped at rungs has the value of a trial that went straight through, since its
# epochs and its schedule are the same.
works tune small.toml --study rungs.db --seeds 1 --halving halving --set tune.eta=2 --set train.schedule=cosine
best=$("${sluice[@]}" tune --study rungs.db --json | grep '"best"' | grep -o '[0-9]*')
point=$("${sluice[@]}" tune --study rungs.db --list | awk -v n="$best" '$1 == n' | grep -o 'model\..*' | sed 's/ = /=/g')
works tune small.toml --study straight.db --trials 2 --seeds 1 --set train.schedule=cosine --enqueue "$point"
"${sluice[@]}" tune --study rungs.db --show "$best" | grep 'after 6 epochs' >rungs.txt
"${sluice[@]}" tune --study straight.db --show 1 | grep 'after 6 epochs' >straight.txt
same rungs.txt straight.txt "promoted and straight"

# Jobs and a second process share the work: every number once, and killing one of them costs nothing
# except time.
"${sluice[@]}" tune small.toml --study shared.db --trials 30 --jobs 2 --seeds 1 >out1 2>err1 </dev/null &
first=$!
until [ -s shared.db ] && "${sluice[@]}" tune --study shared.db --list >/dev/null 2>&1; do sleep 0.02; done
"${sluice[@]}" tune small.toml --study shared.db --trials 30 --seeds 1 >out2 2>err2 </dev/null &
second=$!
until trials shared.db | grep -q complete; do sleep 0.02; done
pkill -9 -o -P $first
wait $second || complain "the second process: $(cat err2)"
wait $first
[ "$(trials shared.db | grep -c complete)" -eq 30 ] || complain "shared: not 30 complete trials: $(trials shared.db | head -n 40)"
trials shared.db | grep -o 'model.*' | sort | uniq -d | grep -q . && complain "a point was measured twice"

# Ctrl-C keeps the finished trials, and the same command goes on.
"${sluice[@]}" tune small.toml --study stopped.db --trials 2000 --seeds 1 >out 2>err </dev/null &
stopped=$!
until [ -s stopped.db ] && trials stopped.db 2>/dev/null | grep -q complete; do sleep 0.05; done
kill -INT $stopped  # the command tells its workers
wait $stopped
code=$?
[ $code -eq 130 ] || complain "interrupted: exit code $code"
trials stopped.db | grep -q running && complain "interrupted, but a trial runs still"
tail -n 1 err | grep -q '^interrupted: stopped.db has every trial that ended' || complain "interrupted: $(tail -n 1 err)"

# A trial that diverges has failed, and the study goes on.
sed 's/low = 1e-3, high = 1e-1/low = 1e-3, high = 100.0/' small.toml >wild.toml
works tune wild.toml --study wild.db --seeds 1 --trials 4 --set train.diverged=1.01 --enqueue "train.optimizer=sgd,train.learning_rate=100.0"
trials wild.db | grep -q failed || complain "nothing failed: $(trials wild.db)"
"${sluice[@]}" tune --study wild.db --show 1 | grep -q 'diverged in epoch' || complain "no reason: $("${sluice[@]}" tune --study wild.db --show 1)"
rm -f wild2.db*
"${sluice[@]}" tune wild.toml --study wild2.db --seeds 1 --max-failures 1 --set train.diverged=1.01 --enqueue "train.optimizer=sgd,train.learning_rate=100.0" \
  --enqueue "train.optimizer=sgd,train.learning_rate=99.0" >out 2>err </dev/null
[ $? -eq 1 ] || complain "--max-failures: no exit code 1"
tail -n 1 err | grep -q 'trials failed, more than the 1 of --max-failures' || complain "--max-failures: $(tail -n 1 err)"

# A full disk, and a time that is up.
(
  ulimit -f 200
  "${sluice[@]}" tune small.toml --study full.db --trials 60 --seeds 1 >out 2>err </dev/null
  echo $? >code
)
[ "$(cat code)" -eq 1 ] || complain "a full disk: exit code $(cat code)"
tail -n 1 err | grep -q '^full.db: ' || complain "a full disk: $(tail -n 1 err)"
trials full.db | grep -q complete || complain "a full disk: what had ended is lost"
works tune small.toml --study full.db --trials 12 --seeds 1
[ "$(trials full.db | grep -c complete)" -ge 12 ] || complain "after a full disk: $(trials full.db)"
works tune small.toml --study late.db --trials 100000 --time 1s --seeds 1
[ "$(trials late.db | wc -l)" -lt 100000 ] && trials late.db | grep -q complete || complain "--time: $(trials late.db | wc -l) trials"

# A device: nothing over its budget is trained, the winner is in its number format and fits.
cat small.toml >device.toml
printf '\n[device]\ncore = "cortex-m4"\ntype = "int8"\nflash = "1600"\nram = "600"\n' >>device.toml
works tune device.toml --study device.db --trials 8 --seeds 1 --enqueue "model.layers.1.gru=16"
trials device.db | sed -n 2p | grep -q unfit || complain "a network over the budget was trained: $(trials device.db)"
grep -q 'flash' out || complain "no front: $(cat out)"
works tune --study device.db --export best --out device.slu
works inspect device.slu --core cortex-m4 --fits flash=1600,ram=600
grep -q int8 out || complain "the export is not int8: $(head -n 1 out)"
works tune --study device.db --json
"${sluice[@]}" tune --study device.db --json >device.json
grep -q '"flash": 1600' device.json || complain "the budget is not in the study"

# The bits of a trial's model do not depend on the instruction set.
works tune --study a.db --export 3 --out best.slu
SLUICE_ISA=scalar works tune --study a.db --export 3 --out scalar.slu
same best.slu scalar.slu "export on another instruction set"
refused 2 'best.slu: exists; give another file, or replace it with --force' tune --study a.db --export 3 --out best.slu
refused 2 'needs a file; give --out' tune --study a.db --export 3
works tune --study a.db --show best
refused 2 '99: a.db has 12 trials, 0 to 11' tune --study a.db --show 99

# A study that may only be read is read.
mkdir locked && cp a.db locked/ && chmod 555 locked && chmod 444 locked/a.db
if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ] && chmod -R a+rX . && setpriv --reuid=65534 --clear-groups "${sluice[@]}" --version >/dev/null 2>&1; then
  for what in --list --best --json "--show 0"; do
    # shellcheck disable=SC2086
    setpriv --reuid=65534 --clear-groups "${sluice[@]}" tune --study locked/a.db $what >out 2>err || complain "read-only: $what: $(cat err)"
    [ -s out ] || complain "read-only: $what says nothing"
  done
  setpriv --reuid=65534 --clear-groups "${sluice[@]}" tune small.toml --study locked/a.db --trials 20 >out 2>err </dev/null
  echo $? >code
  judge 1 'locked/a.db: (is not writable|cannot be opened for writing)' "a study that may not be written"
else
  echo "skipped: reading a study as another user, who cannot run the command here"
fi
chmod 755 locked

# Ranges are widened, and the trials stay as they are: other ends, another choice in front of the
# old ones, other own values. A study of the wider recipe goes on; the narrower one is refused then.
works tune small.toml --study wide.db --trials 3 --seeds 1
trials wide.db >before
sed 's/low = 1e-3, high = 1e-1/low = 1e-4, high = 1e-1/; s/high = 16 }/high = 24 }/; s/value = 8, choices = \[8, 16, 32\]/value = 4, choices = [4, 8, 16, 32]/' small.toml >wider.toml
works tune wider.toml --study wide.db --trials 5 --seeds 1 --enqueue "train.batch=4,model.layers.1.gru=20"
grep -q '^wide.db: goes on with 3 trials in a wider space: .*train.learning_rate from 0.0001 to 0.1 (before: from 0.001 to 0.1)' err || complain "widened: $(head -n 3 err)"
trials wide.db >after
cmp -s before <(head -n 3 after) || complain "the trials have changed: $(diff before after | head -n 4)"
[ "$(wc -l <after)" -eq 5 ] && grep -q 'gru = 20.*batch = 4' after || complain "no trial in the wider space: $(cat after)"
works tune wider.toml --study wide.db --trials 5 --seeds 1
refused 2 'wide.db: is a study of another recipe: the search space differs' tune small.toml --study wide.db
sed 's/high = 24 }/high = 24, step = 4 }/' wider.toml >steps.toml
refused 2 'wide.db: trial [0-9]*, .*, is not on the steps' tune steps.toml --study wide.db

# The recipe of a trial trains to what the trial measured.
works tune --study wide.db --recipe 1 --out one.toml
works train one.toml --out of_one
trained=$(grep -o '"validation_loss":[^,}]*' of_one/log.jsonl | sed 's/.*://' | sort -g | head -n 1)
works tune --study wide.db --show 1 --json
tuned=$(sed -n 's/^  "value": \([^,]*\),*/\1/p' out)
[ "$(printf '%.6g' "$trained")" = "$(printf '%.6g' "$tuned")" ] || complain "trial 1 has $tuned, its recipe $trained"
works tune --study wide.db --recipe best
grep -q '^\[model\]' out || complain "--recipe without --out: $(head -n 5 out)"
refused 2 'one.toml: exists; give another file, or replace it with --force' tune --study wide.db --recipe 2 --out one.toml
works tune --study wide.db --list --json
[ "$(grep -c '"state": "complete"' out)" -eq 5 ] || complain "--list --json: $(head -n 5 out)"
works tune --study wide.db --best --json
grep -q '"finals": \[' out && [ "$(grep -c '"state"' out)" -eq 1 ] || complain "--best --json: $(head -n 5 out)"
refused 2 'exclude each other' tune --study wide.db --list --best
refused 2 '--json works only alone or with' tune --study wide.db --recipe 1 --json

# Two recipes at the same moment on one file: one of them is refused.
sed 's/high = 16/high = 12/' small.toml >other.toml
for recipe in small other; do
  "${sluice[@]}" tune $recipe.toml --study both.db --trials 6 --seeds 1 >out.$recipe 2>err.$recipe </dev/null &
  eval "$recipe=\$!"
done
wait "$small"
small=$?
wait "$other"
other=$?
[ $((small + other)) -eq 2 ] || complain "two recipes on one file: exit codes $small and $other"
cat err.small err.other | grep -q 'both.db: is a study of another recipe: the search space differs' || complain "two recipes: $(cat err.small err.other | grep -v ^trial)"

# Folds need no data.validation for another measure, and a point may be written as --list shows it.
sed 's/validation = 0.2/validation = 0/; s/threads = 1/threads = 1\nmonitor = "accuracy"\npatience = 3/' small.toml >folds.toml
works tune folds.toml --study folds.db --trials 2 --seeds 1 --set tune.validation=k-fold --set tune.folds=3 \
  --enqueue "$(trials a.db | sed -n 3p | grep -o 'model.*')" --enqueue "train.batch=16.0"
trials folds.db | grep -q '%' || complain "accuracy is no share: $(trials folds.db)"

# The test data are part of the definition of a study.
head -n 3000 "$data/test.csv" >part.csv
sed 's|^test = .*|test = "part.csv"|' small.toml >tested.toml
works tune tested.toml --study tested.db --trials 1 --seeds 1
sed -i '$d' part.csv
refused 2 'tested.db: is a study of other data' tune tested.toml --study tested.db --trials 2 --seeds 1,2

# An error is one line, exit code 2, and leaves no study behind.
bad() {
  local change=$1 regex=$2
  shift 2
  sed "$change" small.toml >bad.toml
  refused 2 "$regex" tune bad.toml --study bad.db "$@"
  [ -e bad.db ] && complain "a study was begun: $change $*" && rm -f bad.db*
}
bad 's/{ value = \([^,}]*\),[^}]*}/\1/; s/{ value = 8, choices = \[8, 16, 32\] }/8/; s/, when.*//; s/momentum = .*//' 'bad.toml: nothing to search; give a range to a value'
bad 's/low = 4, high = 16/low = 16, high = 4/' 'bad.toml:9: model.layers.1.gru: low 16 is not below high 4'
bad 's/low = 1e-3, high/low = 0.0, high/' 'bad.toml:19: train.learning_rate: low 0 is not above 0'
bad 's/value = 8, low/value = 99, low/' 'bad.toml:9: model.layers.1.gru: value 99 is outside of 4 to 16'
bad 's/choices = \[8, 16, 32\]/choices = [8]/' 'bad.toml:16: train.batch: choices: too few; give a list of two or more values'
bad 's/choices = \[8, 16, 32\]/choices = [8, 16, 8]/' 'bad.toml:16: train.batch: choices: 8 is given twice'
bad 's/value = 8, choices/value = 9, choices/' 'bad.toml:16: train.batch: value: 9 is not among the choices'
bad 's/value = 8, choices/choices/' 'bad.toml:16: train.batch: value is missing; give the value that "sluice train"'
bad 's/\[8, 16, 32\]/[8, 16, 0]/' '^bad.toml:16: train.batch: 0 is not a batch size; give 1 or more'
bad 's/high = 0.5 }/high = 1.5 }/' '^bad.toml:12: model.dropout.input: 1.5 is not a rate of dropping; give 0.99 or less'
bad 's/"sgd" } }/"rmsprop" } }/' 'bad.toml:18: train.momentum: when: "rmsprop" is not among the choices of train.optimizer'
bad 's/when = { train.optimizer/when = { train.schedule/' 'bad.toml:18: train.momentum: when: train.schedule is not searched'
bad 's/, when = .*/ }/' '^bad.toml:18: train.momentum: adam has no momentum of its own'
bad 's/log = true/lag = true/' 'bad.toml:19: train.learning_rate: lag: unknown key; a search has the keys value, choices, low, high, step, log and when'
bad 's/validation = 0.2/validation = 0/' 'tune.validation: "hold-out", but data.validation holds nothing out'
bad 's/validation = 0.2/validation = { value = 0.2, low = 0.1, high = 0.3 }/' 'data.validation: cannot be searched'
bad 's/epochs = 6/epochs = { value = 6, low = 2, high = 8 }/' 'train.epochs: cannot be searched with tune.halving' --halving halving
bad 's/method = "random"/method = "gausian"/' 'tune.method: "gausian" is not a search method; did you mean "gaussian"\?'
bad '' '--method nothing: "nothing" is not a search method' --method nothing
bad 's/method = "random"/method = "grid"/' 'bad.toml:12: model.dropout.input: a grid needs a step or choices'
bad 's/0.5 }/0.5, step = 1e-6 }/; s/high = 0.95/high = 0.95, step = 0.19/; s/1e-1, log = true/0.101, step = 1e-3/; s/value = 1e-2/value = 0.011/; s/method = "random"/method = "grid"/' \
  'bad.toml: the grid has [0-9,]* points; allow them with --yes'
bad '' '--enqueue train.bacth=8: "train.bacth" is not searched; did you mean train.batch\?' --enqueue train.bacth=8
bad '' '--enqueue train.batch=9: train.batch: 9 is not among its choices' --enqueue train.batch=9
bad '' '--enqueue train.momentum=0.5: train.momentum: has no effect with these values' --enqueue train.momentum=0.5
bad '' '--enqueue learning_rate=0.01: "learning_rate" is not searched; did you mean train.learning_rate\?' --enqueue learning_rate=0.01
bad '' '--enqueue train.batch=8,train.batch=16: train.batch: is given twice' --enqueue train.batch=8,train.batch=16
bad 's/high = 16 }/high = 16, step = 4 }/' '--enqueue model.layers.1.gru=10: model.layers.1.gru: 10 is not on the steps from 4; the nearest value is' --enqueue model.layers.1.gru=10
bad 's/low = 4, high/low = 4.5, high/' 'bad.toml:9: model.layers.1.gru: low: 4.5 is not a whole number'
bad 's/choices = \[8, 16, 32\]/choices = [8, 16, 8.0]/' 'bad.toml:16: train.batch: choices: 8.0 is given twice'
bad 's/high = 16 }/hihg = 16 }/' 'hihg: unknown key; a search has .*; did you mean high\?'
bad 's/when = { train.optimizer = "sgd" }/when = { train.optimizer = [] }/' 'train.momentum: when: train.optimizer: an empty list never holds'
bad 's/when = { train.optimizer/when = { optimizer/' 'when: optimizer is not searched; did you mean "train.optimizer"\?'
bad 's/^threads = 1/loss = { value = "cross_entropy", choices = ["cross_entropy", "mse"] }/' 'train.loss: cannot be searched'
bad 's/^target = .*/target = "label"\nhorizon = { value = 1, low = 1, high = 4 }/' 'data.horizon: cannot be searched'
bad '' 'device.flash: a limit needs a core; set device.core|device.flash=8 KiB: a limit needs a core' --set "device.flash=8 KiB"
bad '$a [[variants]]\nname = "x"' 'bad.toml:[0-9]*: variants: are not searched'
bad '' 'device.core.*cortexm4.*is not a core' --set device.core=cortexm4
bad '' '--time soon: is not a time' --time soon
bad '' '--jobs 0: is not a whole number from 1 to 1024' --jobs 0
bad '' '--seeds x: give a range' --seeds x
bad 's/trials = 10/trials = 0/' 'tune.trials: 0 is not a number of trials'
bad 's/dense = 9/dense = 8/' '9 classes'
printf '\n[device]\ncore = "cortex-m4"\nflash = "300"\n' >tiny.txt
cat small.toml tiny.txt >tiny.toml
refused 2 '^tiny.toml:27: device.core: no model of the search space fits cortex-m4; the smallest, .*gru = 4.*, needs flash [0-9,]* bytes, ram .*: flash [0-9,]* bytes, [0-9,]* more than the limit of 300' \
  tune tiny.toml --study bad.db
refused 2 'a.db: is a study of another recipe: the search space differs: model.layers.1.gru is from 4 to 12, narrower than 4 to 16 in the study' tune other.toml --study a.db
sed 's/input = {.*0.5 }/input = 0.1/' small.toml >fewer.toml
refused 2 'a.db: is a study of another recipe: the search space differs: model.dropout.input is not searched here' tune fewer.toml --study a.db
refused 2 'a.db: is a study of another recipe: train.epochs is 6 in the study and 7 here' tune small.toml --study a.db --set train.epochs=7
cp "$data/train.csv" changed.csv
sed 's|train = .*|train = "changed.csv"|' small.toml >moved.toml
works tune moved.toml --study moved.db --trials 2 --seeds 1
sed -i '2s/^\([^,]*,\)/\1/; $d' changed.csv
refused 2 'moved.db: is a study of other data' tune moved.toml --study moved.db --trials 3
refused 2 'changed.csv: is not the data of the study; give the folder of that data with --data-dir' tune --study moved.db --export 1 --out moved.slu
mkdir elsewhere && cp "$data/train.csv" elsewhere/changed.csv
works tune --study moved.db --export 1 --out moved.slu --data-dir elsewhere
works tune --study moved.db --trials 3 --seeds 1 --data-dir elsewhere
# A measure that is undefined on the validation part is refused before there is a study, also if
# one of the folds lacks a class.
awk 'BEGIN { print "sequence,label,a"; for (s = 0; s < 20; s++) for (t = 0; t < 3; t++) printf "%d,%s,%.2f\n", s, s < 19 ? "x" : "y", s / 7 + t }' >rare.csv
cat >rare.toml <<'END'
[data]
train = "rare.csv"
[model]
layers = [ { gru = { value = 4, low = 2, high = 6 } }, { dense = 2, activation = "softmax" } ]
[train]
epochs = 1
[tune]
trials = 2
END
for monitor in auc macro_f1 balanced_accuracy; do
  for validation in hold-out k-fold; do
    refused 2 "train\\.monitor=$monitor: \"$monitor\" needs every class in the validation part.* class y" tune rare.toml --study rare.db --set train.monitor=$monitor --set tune.validation=$validation
    absent rare.db
  done
done
# A measure of 0 has no sign.
works tune rare.toml --study rare.db --set train.monitor=auc --set data.validation_file=rare.csv --trials 1
grep -q 'auc -0' out && complain "a measure of -0: $(grep 'auc -0' out)"
refused 2 'no.db: no such file' tune --study no.db --list
refused 2 'no recipe; give sluice tune RECIPE.toml' tune --study no.db
refused 2 'no study; give --study FILE.db' tune small.toml
echo "a text" >text.db
refused 2 'text.db: is not a study, or is damaged' tune --study text.db --list
refused 2 'text.db: is not a study, or is damaged' tune small.toml --study text.db
if command -v sqlite3 >/dev/null; then
  cp a.db old.db
  sqlite3 old.db 'UPDATE study SET schema = 99'
  refused 2 'old.db: is a study of schema 99, but this sluice uses schema 1; update sluice' tune --study old.db --list
  for value in 99 -1 0.5; do
    cp a.db damaged.db
    sqlite3 damaged.db "UPDATE trial_values SET number = $value WHERE trial = 2 AND position = (SELECT position FROM parameters WHERE name = 'train.optimizer')"
    refused 2 "damaged.db: train.optimizer is $value in trial 2, outside of its search space; the study is damaged" tune --study damaged.db --list
    refused 2 "damaged.db: train.optimizer is $value in trial 2" report damaged.db
  done
  sqlite3 other.db 'CREATE TABLE x (y)'
  refused 2 'other.db: is a database, but not a study' tune --study other.db --list
fi
if [ -n "${waits-}" ]; then
  wait "$waits"
  kill "$holder" 2>/dev/null
  cp held.err err
  cp held.said out
  cp held.code code
  judge 1 'held.db: another process has locked it for longer than 30 s' "a database that is held"
fi
finish
