#!/usr/bin/env bash
# Makes the cases that the Cortex-M presets run: trained models, with the scalar kernels' answers to made-up frames.
#   cases.sh OUT MAKE_CASE SLUICE
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
recipe=$repository/tools/recipes/japanese-vowels.toml
out=$1 make_case=$2 sluice=$3
rm -rf "$out" "$out-runs"
mkdir -p "$out" "$out-runs"

# make NAME SETTING...: one case, of the recipe with these settings.
make() {
  local name=$1
  shift
  "$sluice" train "$recipe" --out "$out-runs/$name" "$@" >/dev/null
  "$make_case" "$out-runs/$name/model.slu" "$out/$name"
  echo "$out/$name"
}

make japanese-vowels
# Two GRUs whose units fill no panel.
make stacked --set train.epochs=1 --set 'model.layers=[{gru=21},{gru=5},{dense=9,activation="softmax"}]'
