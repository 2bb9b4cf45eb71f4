#!/usr/bin/env bash
# The behavior if a call fails, the process is killed between two calls, a file is not as it should
# be, or a path leads elsewhere.
#   FAIL_LIBRARY  support/fail_call.c as a library for LD_PRELOAD; empty if this build's programs
#                 cannot be made to fail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export OMP_NUM_THREADS=1

good_csv >train.csv
good_recipe >recipe.toml
works train recipe.toml --out run
works train recipe.toml --out old --seed 7
works train recipe.toml --out new --seed 8

# --- a run's folder that is not as a training leaves it
cp -r run broken
rm broken/model.slu && mkdir broken/model.slu
refused 2 '^broken/model\.slu: ' report broken
refused 2 '^broken/model\.slu: is a directory' eval broken --data train.csv
refused 2 '^--resume broken: contains a folder named model\.slu|^broken/model\.slu: ' train --resume broken
rmdir broken/model.slu && mkfifo broken/model.slu
refused 2 '^broken/model\.slu: is not a file' report broken
rm broken/model.slu
works report broken
grep -q 'The training did not come to its end' broken/report.html || complain "a run without its model counts as complete"
deep=$(printf '%0100000d' 0 | tr 0 '[')
cp -r run deep
echo "{\"epoch\":4,\"loss\":$deep" >>deep/log.jsonl
refused 2 '^deep/log\.jsonl:4: ' report deep
{ good_recipe && echo "x = $deep" && echo 'y = 1'; } >deep.toml
refused 2 '^deep\.toml:11: nests deeper' train deep.toml --out none
{ good_recipe && printf 'x.'%.0s {1..100000} && echo 'x = 1'; } >deep.toml
refused 2 '^deep\.toml:11: ' train deep.toml --out none
refused 2 '^--set train\.batch=' train recipe.toml --out none --set "train.batch=$deep"
absent none

# --- links: output goes to the files that they lead to, and the links stay
mkdir there
ln -s there/real link && ln -s nowhere/file lost && ln -s round round && ln -s there folder && ln -s nowhere lost_folder
# through ARGUMENT...: the command, with a path as its last argument, writes through a link to a
# file that is not there yet and to one that is there. If it cannot write, it says so.
through() {
  rm -f there/real
  for _ in new old; do
    works "$@" link
    [ -L link ] && [ -s there/real ] || complain "sluice $* link: the link was not followed"
  done
  refused 2 'folder: ' "$@" folder
  refused 1 '^lost: cannot be written' "$@" lost
  refused 1 '^round: cannot be written' "$@" round
  [ -L lost ] && [ -L round ] && [ -L folder ] || complain "sluice $*: a link was replaced"
}
through run run --input train.csv --output
through run run --input train.csv --trace
through quantize run --calibrate train.csv --out
through quantize run --calibrate train.csv --force --out int8.slu --report
through report run --out
if has_tune; then
  sed 's/gru = 4/gru = { value = 4, low = 2, high = 4 }/; s/^validation = 0/validation = 0.25/' recipe.toml >search.toml
  echo '[tune]
method = "random"
trials = 1' >>search.toml
  works tune search.toml --study study.db --seeds 1
  through report study.db --out
  through tune --study study.db --export 0 --force --out
  ln -s there/study study_link
  works tune search.toml --study study_link --seeds 1
  [ -L study_link ] && [ -s there/study ] || complain "the link to a study was not followed"
  refused 2 '^folder: is a directory' tune search.toml --study folder
  refused 1 '^lost: cannot be opened' tune search.toml --study lost
fi
# A command that takes a folder works in the folder that a link leads to. A link to a folder that is
# not there is left alone.
mkdir real_folder && ln -s real_folder folder_link
works export run --format slu --out folder_link
works train recipe.toml --out folder_link --force
[ -L folder_link ] && [ -f real_folder/model.slu ] && [ -f real_folder/log.jsonl ] || complain "a link to a folder was not followed"
refused 2 '^lost_folder: is a link to a missing folder' export run --out lost_folder
refused 2 '^lost_folder: is a link to a missing folder' train recipe.toml --out lost_folder
refused 1 '^recipe\.toml: the directory cannot be created: Not a directory' export run --out recipe.toml
refused 1 '^recipe\.toml/run: the directory cannot be created: Not a directory' export run --out recipe.toml/run
[ -L lost_folder ] || complain "a link to a folder that is not there has gone"
mkdir linked && ln -s ../there/real linked/model.slu && rm -f there/real
works export run --format slu --out linked
[ -L linked/model.slu ] && [ -s there/real ] || complain "a link in the folder of an export was not followed"
absent nowhere
[ -z "$(find . -name '*.??????' -not -name '*.toml')" ] || complain "left behind: $(find . -name '*.??????')"

# --- control characters of names and paths do not reach a terminal: U+009B begins a command there,
# as ESC does
sed "s/up/u$(printf '\302\233')31mp/; s/,a,/,a$(printf '\302\235')x,/" train.csv >control.csv
works train recipe.toml --out control --set data.train=control.csv
cat out err >told
works inspect control && cat out err >>told
works eval control --data control.csv && cat out err >>told
escape=$(printf 'e\033[31m\302\233')
works export run --out "$escape" && cat out err >>told
refused 2 'e\?\[31m\?\.csv: no such file' eval control --data "$escape.csv"
cat err >>told
! LC_ALL=C grep -q "$(printf '\302[\200-\237]\|\033')" told || complain "control characters: $(LC_ALL=C grep -a "$(printf '\302[\200-\237]\|\033')" told | od -c | head -n 5)"
works run control --input control.csv --json # data stay as they are
LC_ALL=C grep -q "$(printf 'u\302\23331mp')" out || complain "a label is changed in JSON"

if [ -z "${FAIL_LIBRARY:-}" ]; then
  echo "skipped, no call of this build can be made to fail: kills and lack of memory"
  finish
fi

# failing CALL NUMBER HOW ARGUMENT...: the command with one call that fails, or ends the process;
# its exit code is in $code.
failing() {
  local call=$1 number=$2 how=$3
  shift 3
  { LD_PRELOAD=$FAIL_LIBRARY FAIL_CALL=$call FAIL_AT=$number FAIL_HOW=$how "${sluice[@]}" "$@" >out 2>err </dev/null; } 2>/dev/null
  code=$?
}

# --- train --force, killed before any of its calls that change files: the folder holds the old run,
# or the new one
for before in complete stopped; do
  cp -r old before
  if [ $before = stopped ]; then # as after a kill in its second epoch: no model yet
    rm -r before
    for ((number = 1; ; number++)); do
      rm -rf before
      failing disk $number kill train recipe.toml --out before --seed 7 --set train.checkpoint_seconds=0
      [ "$({ wc -l <before/log.jsonl; } 2>/dev/null)" = 1 ] && break
      [ $number -lt 100 ] || break
    done
  fi
  for ((number = 1; number < 200; number++)); do
    rm -rf hit && cp -r before hit
    failing disk $number kill train recipe.toml --out hit --force --seed 8
    [ $code -eq 0 ] && break
    [ $code -eq 137 ] || complain "$before, killed at call $number: exit code $code: $(cat err)"
    if [ ! -e hit/begin.slc ] && [ ! -e hit/model.slu ] && [ ! -e hit/checkpoint.slc ]; then
      complain "$before, killed at call $number: no run is left: $(ls hit)"
    fi
    works report hit
    rm hit/report.html
    works train --resume hit
    if ! cmp -s hit/model.slu new/model.slu && ! cmp -s hit/model.slu old/model.slu; then
      complain "$before, killed at call $number: neither the old run nor the new one"
    fi
    which=$(cmp -s hit/model.slu new/model.slu && echo new || echo old)
    same hit/log.jsonl $which/log.jsonl "$before, killed at call $number, resumed to the $which run's model"
    # The next training removes an unfinished file; a complete run has none.
    [ "$(ls -A hit | grep -v '^begin\.slc\.......$' | tr '\n' ' ')" = "log.jsonl model.slu recipe.toml " ] || complain "$before, killed at call $number: $(ls -A hit)"
  done
  [ $number -gt 20 ] && [ $code -eq 0 ] || complain "$before: $number calls, exit code $code"
  same hit/model.slu new/model.slu "--force on a run that was $before"
  rm -rf before
done

# --- the files of a complete run are on disk before the checkpoint is removed that could restore
# them; and so are new folders
LD_PRELOAD=$FAIL_LIBRARY CALL_LOG=$PWD/calls works train recipe.toml --out above/run
line_of() { grep -n "$1" calls | tail -n 1 | sed 's/:.*//'; }
written=$(line_of '^write .*/log\.jsonl$') synced=$(line_of '^fsync .*/log\.jsonl$') gone=$(line_of '^unlink .*checkpoint\.slc$')
[ "${written:-0}" -gt 0 ] && [ "${synced:-0}" -gt "$written" ] && [ "${gone:-0}" -gt "$synced" ] ||
  complain "log.jsonl: written at $written, synced at $synced, the checkpoint goes at $gone"
for folder in above above/run; do
  parent=$(dirname "$PWD/$folder")
  grep -A 1 "^mkdir .*$folder\$" calls | grep -q "^fsync $parent\$" || complain "$folder: its parent is not synced: $(head -n 5 calls)"
done

# --- out of memory in any call: exit code 1 and one line
# without_memory ARGUMENT...: 40 calls that fail, one at a time, out of the last two fifths, most of
# which are JSON's.
without_memory() {
  local low=64 high=64 middle
  while failing memory $high fail "$@" && [ $code -ne 0 ]; do low=$high high=$((2 * high)); done
  while [ $((high - low)) -gt 1 ]; do
    middle=$(((low + high) / 2))
    failing memory $middle fail "$@"
    if [ $code -eq 0 ]; then high=$middle; else low=$middle; fi
  done
  for ((number = 3 * low / 5; number <= low; number += low / 100 + 1)); do
    failing memory $number fail "$@"
    [ $code -eq 0 ] && continue # a call that can do without
    if [ $code -ne 1 ] || [ "$(cat err)" != "sluice: out of memory" ]; then
      complain "sluice $*, call $number for memory: exit code $code: $(head -n 2 err)"
    fi
  done
}
without_memory inspect run --json
has_tune && without_memory tune --study study.db --json

finish
