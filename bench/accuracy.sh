#!/usr/bin/env bash
# How much accuracy fixed point costs: means over seeds of the test figure in float, and the
# difference of int8, w8a16 (both after training) and int8 trained for ([quantize] aware) from it.
# Ranges and settings come from the training part alone.
#   bash bench/accuracy.sh [--data FOLDER] [--seeds "1 2 3 4 5"]
# --data names a folder with fsdd/{train,test}.csv (tools/recipes/spoken-digits.toml) and
# etth1/ETTh1.csv (Zhou et al. 2021). Without it only Japanese Vowels, which are shipped, are
# measured.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
source tools/install.sh

data='' seeds='1 2 3 4 5'
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || { echo "bench/accuracy.sh: $1: no value; give --data FOLDER or --seeds LIST" >&2; exit 2; }
  case $1 in
    --data) case $2 in /*) data=$2 ;; *) data=$here/$2 ;; esac ;;
    --seeds) seeds=$2 ;;
    *) echo "bench/accuracy.sh: $1: not an option; give --data FOLDER or --seeds LIST" >&2; exit 2 ;;
  esac
  shift 2
done
[ -z "$data" ] || [ -d "$data" ] || { echo "bench/accuracy.sh: --data $data: is not a folder" >&2; exit 2; }

need_packages cmake ninja-build g++ libxsimd-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libzip-dev doctest-dev
mkdir -p build
quietly build/accuracy.log cmake --preset release
quietly build/accuracy.log cmake --build --preset release --target sluice
sluice=$repository/build/release/bin/sluice
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# field JSON KEY: a number of "sluice eval --json"
field() { sed -n "s/^ *\"$2\": \\([-0-9.e+]*\\),*\$/\\1/p" "$1" | head -n 1; }
score() { "$sluice" eval "$1" --data "$2" --json >eval.json 2>/dev/null && field eval.json "$figure"; }

# measure NAME RECIPE FOLDER FIGURE [DATA-DIR]: one line of the table; train.csv and test.csv are in
# FOLDER.
measure() {
  local name=$1 recipe=$2 folder=$3 root=${5:-$3} seed
  figure=$4
  for seed in $seeds; do
    quietly log "$sluice" train "$recipe" --data-dir "$root" --seed "$seed" --out real --force
    quietly log "$sluice" quantize real --calibrate "$folder/train.csv" --type int8 --force
    quietly log "$sluice" quantize real --calibrate "$folder/train.csv" --type w8a16 --force
    quietly log "$sluice" train "$recipe" --data-dir "$root" --seed "$seed" --out aware --force --set quantize.aware=true
    for model in real/model real/model-int8 real/model-w8a16 aware/model; do
      printf '%s ' "$(score $model.slu "$folder/test.csv")"
    done
    echo
  done >scores
  awk -v name="$name" -v figure="$figure" '
    { for (i = 1; i <= 4; ++i) sum[i] += $i; ++n }
    END {
      for (i = 1; i <= 4; ++i) sum[i] /= n
      if (figure == "accuracy")
        printf "%-36s %9.2f %% %+8.2f pt %+8.2f pt %+8.2f pt\n", name, 100 * sum[1], 100 * (sum[2] - sum[1]), 100 * (sum[3] - sum[1]), 100 * (sum[4] - sum[1])
      else
        printf "%-36s %11.5f %+9.2f %% %+9.2f %% %+9.2f %%\n", name, sum[1], 100 * (sum[2] / sum[1] - 1), 100 * (sum[3] / sum[1] - 1), 100 * (sum[4] / sum[1] - 1)
    }' scores
}

# windows FIRST LAST STRIDE: windows over ETTh1's rows, 96 hours and the oil temperature of the
# next, in deviations of the training year.
windows() {
  awk -F, -v first="$1" -v last="$2" -v stride="$3" '
    NR == 1 { head = $2; for (i = 3; i <= NF; ++i) head = head "," $i; next }
    { row[NR - 2] = $2; for (i = 3; i <= NF; ++i) row[NR - 2] = row[NR - 2] "," $i; y[NR - 2] = $NF }
    END {
      for (i = 0; i < 8640; ++i) mean += y[i] / 8640
      for (i = 0; i < 8640; ++i) variance += (y[i] - mean) ^ 2 / 8640
      print "sequence,y," head
      for (begin = first; begin + 96 < last; begin += stride)
        for (i = begin; i < begin + 96; ++i) printf "%d,%.6f,%s\n", begin, (y[begin + 96] - mean) / sqrt(variance), row[i]
    }' "$data/etth1/ETTh1.csv"
}

printf '%-36s %11s %11s %11s %11s\n' "test figure, mean over seeds $seeds" float int8 w8a16 'int8 aware'
measure 'Japanese Vowels, GRU 32, accuracy' "$repository/tools/recipes/japanese-vowels.toml" "$repository/tools/recipes/japanese-vowels" accuracy \
  "$repository/tools/recipes"
if [ -e "$data/fsdd/train.csv" ]; then
  measure 'spoken digits, GRU 64, accuracy' "$repository/tools/recipes/spoken-digits.toml" "$data/fsdd" accuracy
else
  echo 'skipped, spoken digits: no fsdd/train.csv in --data'
fi
if [ -e "$data/etth1/ETTh1.csv" ]; then
  windows 0 8640 6 >train.csv
  windows 11520 14400 3 >test.csv
  cat >hour.toml <<'END'
[data]
train = "train.csv"
target = "y"
target_type = "value"
validation = 0.15
[model]
layers = [ { gru = 32 }, { dense = 1 } ]
[train]
loss = "mse"
epochs = 15
batch = 32
learning_rate = 3e-3
schedule = "cosine"
clip_norm = 1.0
END
  measure 'ETTh1, the next hour, GRU 32, MSE' hour.toml "$work" loss
else
  echo 'skipped, ETTh1: no etth1/ETTh1.csv in --data'
fi
