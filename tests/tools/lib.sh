# Sourced by the tests of the command: how a run is judged. Arguments of each script: a folder to
# work in, then the command (behind its emulator, if there is one).
set -u
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$1
shift
sluice=("$@")
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 1
failures=0

complain() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# has_tune: whether this build has `sluice tune`, which needs SQLite.
has_tune() { "${sluice[@]}" --help | grep -q '^  tune '; }

# finish: the script's last line.
finish() {
  [ "$failures" -eq 0 ] && echo "all good" && exit 0
  echo "$failures failed"
  exit 1
}

# judge CODE REGEX LABEL: the last run's results in ./code, ./out and ./err.
judge() {
  local code=$1 regex=$2 label=$3 lines
  [ "$(cat code)" = "$code" ] || complain "$label: exit code $(cat code), not $code: $(head -n 3 err)"
  lines=$(wc -l <err)
  [ "$lines" -eq 1 ] || complain "$label: $lines lines on standard error, not 1: $(head -n 5 err)"
  grep -Eq -- "$regex" err || complain "$label: standard error is not /$regex/: $(head -n 3 err)"
  [ ! -s out ] || complain "$label: something on standard output: $(head -n 3 out)"
}

# refused CODE REGEX ARGUMENT...: the command ends with that code, one line on standard error that
# matches, and no output.
refused() {
  local code=$1 regex=$2
  shift 2
  "${sluice[@]}" "$@" >out 2>err </dev/null
  echo $? >code
  judge "$code" "$regex" "sluice $*"
}

# works ARGUMENT...: the command ends well; its output is in ./out, its progress in ./err.
works() {
  "${sluice[@]}" "$@" >out 2>err </dev/null
  local code=$?
  [ $code -eq 0 ] || complain "sluice $*: exit code $code: $(head -n 3 err)"
}

# without_rights FUNCTION ARGUMENT...: as a user whom permissions bind, which root is not. It does
# nothing if can_lose_rights says no.
nobody=()
[ "$(id -u)" -ne 0 ] || nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
can_lose_rights() { "${nobody[@]}" "${sluice[@]}" --version >/dev/null 2>&1 && "${nobody[@]}" test -r "$PWD/recipe.toml"; }
without_rights() {
  local all=("${sluice[@]}")
  sluice=("${nobody[@]}" "${all[@]}")
  "$@"
  sluice=("${all[@]}")
}

# absent PATH...: no partial output was left, not even a hidden one.
absent() {
  local path
  for path in "$@"; do
    [ ! -e "$path" ] || complain "left behind: $path $(ls -A "$path" 2>/dev/null | tr '\n' ' ')"
  done
}

same() { cmp -s "$1" "$2" || complain "$1 and $2 differ: $3"; }
different() { ! cmp -s "$1" "$2" || complain "$1 and $2 are the same: $3"; }

# A small task: 2 features, 12 sequences of 3 to 5 frames, 2 classes.
good_csv() {
  awk 'BEGIN {
    print "sequence,label,a,b"
    for (s = 0; s < 12; s++)
      for (t = 0; t < 3 + s % 3; t++) printf "s%d,%s,%.3f,%.3f\n", s, s % 2 ? "up" : "down", (s % 2 ? 1 : -1) * (t + s / 10), s * 0.1 - t
  }'
}
good_recipe() {
  cat <<'END'
[data]
train = "train.csv"
validation = 0

[model]
layers = [ { gru = 4 }, { dense = 2, activation = "softmax" } ]

[train]
epochs = 3
batch = 8
END
}
