#!/usr/bin/env bash
# One training by several processes of mpirun gives the bytes of one process. A rank that dies,
# falls silent or is interrupted ends the job with a message, and any number of ranks goes on to the
# same bytes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/mpi.sh"

alone=("${sluice[@]}")
command -v mpirun >/dev/null || { echo "skipped, no mpirun: training by several processes"; exit 0; }

# Notes its process, and becomes the command that it was asked for. Rank 1 sees another train.csv if
# $other names it.
cat >rank.sh <<'END'
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || [ -z "${other-}" ] || exec unshare -m sh -c 'mount --bind "$other" train.csv && exec "$0" "$@"' "$@"
exec "$@"
END

# mpirun without its own remarks, which stand between two lines of dashes: Open MPI 5 has no -q. The
# same version sometimes logs that it cannot reach a process that has ended.
cat >mpirun.sh <<'END'
mpirun "$@" 2>remarks
code=$?
sed '/^----*$/,/^----*$/d; /^\[[^]]*:[0-9]*\] PMIX ERROR: PMIX_ERR_UNREACH /d' remarks >&2
exit $code
END

# by N OPTION...: N ranks run the command together.
by() {
  local n=$1
  shift
  sluice=(sh mpirun.sh --bind-to none "$@" -n "$n" sh rank.sh "${alone[@]}")
}
by 2
if "${sluice[@]}" train --keys 2>&1 </dev/null | grep -q 'built without MPI'; then
  echo "skipped, built without MPI: training by several processes"
  exit 0
fi

awk -F, 'NR == 1 || $1 % 3 == 0' "$repository/tools/recipes/japanese-vowels/train.csv" >train.csv
cat >gru.toml <<'END'
[data]
train = "train.csv"
validation = 0.2

[model]
layers = [ { gru = 24 }, { dense = 9, activation = "softmax" } ]
dropout = { input = 0.2, output = 0.5 }

[train]
epochs = 20
batch = 36
optimizer = "adamw"
learning_rate = 3e-2
schedule = "plateau"
schedule_factor = 0.5
plateau_patience = 1
weight_decay = 1e-2
clip_norm = 1.0
patience = 10
validate_every = 2
END
sed 's/^layers = .*/layers = [ { gru = 12 }, { batch_norm = true }, { lstm = 10 }, { batch_norm = true }, { dense = 9, activation = "softmax" } ]/' \
  gru.toml >norm.toml
awk 'BEGIN { for (i = 0; i < 3000; i++) { x = (x * 5 + i * i + 3) % 64; printf "%s", substr("abcdef", 1 + x % 6, 1) } }' >text.txt
cat >text.toml <<'END'
[data]
train = "text.txt"
format = "text"
target_per = "row"
window = 12
validation = 0.2

[model]
layers = [ { embedding = 6 }, { lstm = 12 }, { dense = 8, activation = "softmax" } ]
dropout = { output = 0.3 }

[train]
epochs = 6
batch = 20
carry = true
embedding_rows = "seen"
learning_rate = 1e-2
END

# equal ONE OTHER: two runs' files.
equal() {
  local file
  for file in model.slu model-f32.slu log.jsonl; do
    [ ! -e "$1/$file" ] || same "$1/$file" "$2/$file" "$3"
  done
  [ "$(ls -A "$1" | tr '\n' ' ')" = "$(ls -A "$2" | tr '\n' ' ')" ] || complain "$2 holds $(ls -A "$2" | tr '\n' ' ')"
}

# --- the same bytes
for recipe in gru norm text; do
  sluice=("${alone[@]}")
  works train $recipe.toml --out $recipe
  cp out alone.out
  for n in 2 4; do
    by $n
    works train $recipe.toml --out $recipe-$n
    equal $recipe $recipe-$n "$recipe by one process and by $n"
    [ "$(wc -l <out)" -eq "$(wc -l <alone.out)" ] || complain "$recipe by $n ranks: not one of them speaks: $(cat out)"
  done
done
all=(--set train.prune=0.7 --set train.prune_every=3 --set quantize.aware=true --set train.sampling=balanced)
all+=(--set 'train.batch="all"' --set train.prune_end=0.9 --threads 1)
sluice=("${alone[@]}")
works train gru.toml --out all "${all[@]}"
by 3
works train gru.toml --out all-3 "${all[@]}"
equal all all-3 "pruned, balanced and in fixed point by one process and by 3"
works train gru.toml --out study-3 --seeds 1..2 --set train.epochs=3
sluice=("${alone[@]}")
works train gru.toml --out study --seeds 1..2 --set train.epochs=3
same study/comparison.json study-3/comparison.json "a study by one process and by 3"

# --- long enough to be stopped in the middle
long=(gru.toml --set train.epochs=200 --set train.patience=0)
works train "${long[@]}" --out long

# stopped NAME SIGNAL RANK ARGUMENT...: a training of which one rank gets a signal in the middle.
# Its exit code is in ./code.
stopped() {
  local name=$1 signal=$2 rank=$3 from=0
  shift 3
  rm -f pid.*
  [ ! -e "$name/log.jsonl" ] || from=$(wc -l <"$name/log.jsonl")
  "${sluice[@]}" train "$@" --set train.checkpoint_seconds=0 >out 2>err </dev/null &
  while kill -0 $! 2>/dev/null && [ "$({ wc -l <"$name/log.jsonl"; } 2>/dev/null || echo 0)" -lt $((from + 10)) ]; do sleep 0.02; done
  kill "-$signal" "$(cat "pid.$rank")"
  wait $!
  echo $? >code
  [ -e "$name/checkpoint.slc" ] || complain "$name: was done before it was stopped"
}

by 2
stopped hit KILL 1 "${long[@]}" --out hit
[ "$(cat code)" -ne 0 ] || complain "a rank that is killed: exit code 0"
grep -q 'to go on: sluice train --resume hit$' err || complain "a rank that is killed: $(tail -n 5 err)"
by 4
stopped hit KILL 0 --resume hit
[ "$(cat code)" -ne 0 ] || complain "rank 0 is killed: exit code 0"
by 3 --enable-recovery
stopped hit KILL 2 --resume hit
grep -q '^rank 2 of 3: not heard of for 10 seconds; .*to go on: sluice train --resume hit$' err || complain "a rank falls silent: $(tail -n 5 err)"
by 2
stopped hit INT 0 --resume hit
[ "$(cat code)" -eq 130 ] || complain "SIGINT: exit code $(cat code): $(cat err)"
[ "$(grep -c 'sluice train --resume hit$' err)" -eq 1 ] || complain "SIGINT: $(cat err)"
stopped hit INT 1 --resume hit
[ "$(cat code)" -eq 130 ] || complain "SIGINT for rank 1: exit code $(cat code): $(cat err)"
works train --resume hit --set train.checkpoint_seconds=60
equal long hit "uninterrupted by one process, and stopped five times by several"

# --- one message, not one from each rank
export OMPI_MCA_odls_base_sigkill_timeout=0  # of Open MPI 4; 5 has none
by 2
refused 2 '^nothing/recipe\.toml: .*no such file' train --resume nothing
refused 2 '^--out gru: holds another run' train gru.toml --out gru
refused 2 'absent\.csv: no such file' train gru.toml --out x --set data.train=absent.csv
refused 2 '^sluice train: .*--nothing' train --nothing
absent x nothing
if unshare -m true 2>/dev/null; then
  sed '9s/[0-9]$/&1/' train.csv >changed.csv
  echo bad >bad.csv
  export other=changed.csv
  refused 2 '^rank 1: reads other data than rank 0' train gru.toml --out x
  other=bad.csv
  refused 2 '^rank 1: .*train\.csv:1: sequence: no such column' train gru.toml --out x
  unset other
  absent x
else
  echo "skipped, may not mount: ranks that read different data"
fi

finish
