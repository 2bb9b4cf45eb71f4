# sluice tune under mpirun: trials spread over ranks, and a rank that dies. Skipped without MPI.
source "$(dirname "$0")/lib.sh"
data=$repository/tools/recipes/japanese-vowels
source "$(dirname "$0")/mpi.sh"
export OMPI_MCA_mpi_yield_when_idle=1
command -v mpirun >/dev/null || { echo "skipped: mpirun is not installed"; exit 0; }
mpirun -n 2 "${sluice[@]}" tune --study none.db --list >out 2>err
grep -q 'built without MPI' err && { echo "skipped: built without MPI"; exit 0; }

cat >small.toml <<END
[data]
train = "$data/train.csv"
test = "$data/test.csv"
target = "label"
validation = 0.2
[model]
layers = [{ gru = { value = 8, low = 4, high = 16 } }, { dense = 9, activation = "softmax" }]
[train]
epochs = 12
learning_rate = { value = 1e-2, low = 1e-3, high = 1e-1, log = true }
threads = 1
[tune]
method = "random"
trials = 12
END

# Independent draws, and one training for each trial: whichever rank trains them, the study is the
# same except for the times.
json() { "${sluice[@]}" tune --study "$1" --json | grep -v '"seconds"'; }
works tune small.toml --study alone.db --seeds 1
json alone.db >alone.json
for n in 2 4; do
  timeout 120 mpirun -n $n "${sluice[@]}" tune small.toml --study ranks$n.db --seeds 1 >out 2>err </dev/null || complain "$n ranks: $(tail -n 3 err)"
  json ranks$n.db >ranks$n.json
  cmp -s alone.json ranks$n.json || complain "$n ranks: $(diff alone.json ranks$n.json | head -n 4)"
  grep -q '^best: trial' out || complain "$n ranks: $(cat out)"
done
refused 2 'no study; give --study' tune small.toml

# A rank that dies ends the job; the study goes on to the same end. With recovery the others go on
# without it.
begin() {
  rm -f "$1"*
  timeout 120 mpirun ${2:-} -n 3 "${sluice[@]}" tune small.toml --study "$1" --trials 40 --set train.epochs=120 --seeds 1 >out 2>err </dev/null &
  job=$!
  until [ -s "$1" ] && [ "$("${sluice[@]}" tune --study "$1" --list 2>/dev/null | grep -c 'complete')" -ge 2 ]; do
    sleep 0.05
    kill -0 $job 2>/dev/null || break
  done
}
victim() { pgrep -f "tune small.toml --study $1" | while read -r p; do tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -q '^OMPI_COMM_WORLD_RANK=2$' && echo "$p"; done | head -n 1; }
works tune small.toml --study longer.db --trials 40 --set train.epochs=120 --seeds 1
json longer.db >longer.json
begin killed.db
kill -9 "$(victim killed.db)"
wait $job && complain "a rank was killed, but the job ended well"
timeout 120 mpirun -n 2 "${sluice[@]}" tune small.toml --study killed.db --trials 40 --set train.epochs=120 --seeds 1 >out 2>err </dev/null ||
  complain "after a rank was killed: $(tail -n 3 err)"
json killed.db >killed.json
cmp -s longer.json killed.json || complain "killed: $(diff longer.json killed.json | head -n 4)"
begin recovered.db --enable-recovery
kill -9 "$(victim recovered.db)"
wait $job || complain "with recovery: $(tail -n 3 err)"
grep -q 'rank 2 is lost; its trial .* is assigned again' err || complain "with recovery: nobody missed the rank: $(tail -n 3 err)"
json recovered.db >recovered.json
cmp -s longer.json recovered.json || complain "recovered: $(diff longer.json recovered.json | head -n 4)"
finish
