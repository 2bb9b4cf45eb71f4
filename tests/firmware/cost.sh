#!/usr/bin/env bash
# Whether the instructions that `sluice inspect --core` promises are those that the emulator counts, within 5 %, on shapes that were
# not fitted.
#   cost.sh CORE SLUICE CASES IMAGES EMULATOR...
set -u
core=$1 sluice=$2 cases=$3 images=$4
shift 4
checked=0 failed=0
for blob in "$cases"/*.unfitted; do
  name=$(basename "$blob" .unfitted)
  image=$images/case-$name.elf
  [ -e "$image" ] || continue
  counted=$("$@" "$image" 2>&1 | sed -n 's/.*; \([0-9]*\) instructions a step.*/\1/p')
  [ -n "$counted" ] || continue # skipped by name in its own test
  told=$("$sluice" inspect "$cases/$name.slu" --core "$core" --json | sed -n 's/^ *"instructions_per_step": \([0-9]*\).*/\1/p')
  checked=$((checked + 1))
  echo "$name: told ${told:-nothing}, counted $counted"
  awk -v t="${told:-0}" -v c="$counted" 'BEGIN { exit !(t > 0.95 * c && t < 1.05 * c) }' || failed=$((failed + 1))
done
[ -e "$cases/int8-24-48.unfitted" ] || { echo "skipped, $core: no cases to check costs on; run the release preset's tests first"; exit 0; }
[ $checked -gt 0 ] || { echo "no case was counted"; exit 1; }
exit $((failed > 0))
