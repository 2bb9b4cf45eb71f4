#!/usr/bin/env bash
# Runs clang-tidy with the checks of .clang-tidy. Any warning is a failure.
#   bash tests/tidy.sh              checks every source, which takes 25 minutes on one core
#   bash tests/tidy.sh --changed    checks the sources that changed; for a header that changed, its
#                                   own source, or else the first source that includes it; at
#                                   most as many as take about 3 minutes
#   bash tests/tidy.sh --changed --strict   fails if that leaves sources out
#   bash tests/tidy.sh FILE...      checks these sources
# A file has changed if it differs from the merge base with origin/main, or from HEAD~1 if that base
# is HEAD or does not exist.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source tools/install.sh
source tests/clang.sh
most=40  # sources of --changed, which take 2 to 3 minutes on two cores

# base: prints the commit to compare with; fails without one.
base() {
  local head merge_base
  head=$(git rev-parse HEAD 2>/dev/null) || return
  merge_base=$(git merge-base HEAD origin/main 2>/dev/null)
  if [ -n "$merge_base" ] && [ "$merge_base" != "$head" ]; then
    echo "$merge_base"
  else
    git rev-parse --verify --quiet HEAD~1
  fi
}

# source_of HEADER: prints the header's own source, or else the first source that includes it,
# directly or by way of another header.
source_of() {
  local own=${1%.*}.cpp name=$1 depth found
  if [ -e "$own" ]; then
    echo "$own"
    return
  fi
  for depth in 1 2 3 4; do
    mapfile -t found < <(grep -lE "^ *# *include \"([^\"]*/)?${name##*/}\"" "${all[@]}")
    [ ${#found[@]} -gt 0 ] || return
    printf '%s\n' "${found[@]}" | grep -E -m 1 '\.(c|cpp)$' && return
    name=${found[0]}
  done
}

strict=
if [ "${2:-}" = --strict ]; then
  strict=1
  set -- "$1"
fi
mapfile -t all < <(files '*.h' '*.hpp' '*.c' '*.cpp')
if [ "${1:-}" = --changed ]; then
  if ! from=$(base); then
    echo "skipped, no commit to compare with: clang-tidy on what changed"
    exit 0
  fi
  mapfile -t sources < <(git diff --name-only --diff-filter=d "$from" -- '*.h' '*.hpp' '*.c' '*.cpp' |
    while read -r file; do
      case $file in
        *.c | *.cpp) echo "$file" ;;
        *) source_of "$file" ;;
      esac
    done | sort -u)
  echo "${#sources[@]} sources differ from $(git rev-parse --short "$from"), or include what does"
  if [ ${#sources[@]} -gt $most ]; then
    echo "skipped, more than $most sources: clang-tidy on $((${#sources[@]} - most)) of them;" \
      "bash tests/tidy.sh checks them"
    sources=("${sources[@]:0:$most}")
    left_out=1
  fi
elif [ $# -gt 0 ]; then
  sources=("$@")
else
  mapfile -t sources < <(printf '%s\n' "${all[@]}" | grep -E '\.(c|cpp)$')
fi
[ ${#sources[@]} -gt 0 ] || exit 0

if ! tool=$(clang_tool clang-tidy); then
  echo "skipped, no clang-tidy $clang_version: bug patterns in ${#sources[@]} sources"
  exit 0
fi
export tool

# compiles FOLDER SOURCE: whether the build in build/FOLDER compiles the source.
compiles() { grep -q "\"file\": \"$PWD/$2\"" "build/$1/compile_commands.json"; }

# tidy FOLDER SOURCE: runs clang-tidy, shows its output if it warns, and adds the source to the list
# of those that have warnings.
tidy() {
  local flags=(--extra-arg=-Wno-unknown-warning-option) said
  case $1 in  # flags and folders that only GCC knows; and omp.h, of any version of clang
    release) flags+=("--extra-arg=-idirafter$omp") ;;
    *-armv7) flags+=(--extra-arg=-march=armv7-a --extra-arg=-mfpu=neon-vfpv4) ;;
    *-cortex-m*) flags+=(--extra-arg=-isystem/usr/include/newlib) ;;
  esac
  said=$("$tool" -p "build/$1" --quiet "${flags[@]}" "$2" 2>&1) && return
  printf '%s\n' "$2" "$said"
  echo "$2" >>"$warned"
  return 1
}
export -f tidy

need_packages "${host_packages[@]}" "${import_packages[@]}" libomp-dev || exit 1
[ $# -gt 0 ] || need_packages libbenchmark-dev || exit 1  # else bench/ is tidied if it is there
mkdir -p build
quietly build/tidy-release.log cmake --preset release || exit 1
omp=$(dirname "$(find /usr/lib/llvm-*/lib/clang/*/include -name omp.h | tail -n 1)")
warned=$(mktemp)
trap 'rm -f "$warned"' EXIT
export omp warned
failed=0
other=() work=()
for source in "${sources[@]}"; do
  if compiles release "$source"; then work+=(release "$source"); else other+=("$source"); fi
done
for preset in aarch64 armv7 cortex-m7; do  # whose compilers may be missing
  [ ${#other[@]} -gt 0 ] || break
  folder=tidy-$preset
  cmake --fresh --preset "$preset" -B "build/$folder" >"build/$folder.log" 2>&1 || continue
  for i in "${!other[@]}"; do
    compiles "$folder" "${other[i]}" && work+=("$folder" "${other[i]}") && unset "other[i]"
  done
done
for source in "${other[@]}"; do
  echo "skipped, not compiled by a preset of this machine: clang-tidy on $source"
done
[ ${#work[@]} -eq 0 ] ||
  printf '%s\n' "${work[@]}" | xargs -d '\n' -n 2 -P "$(nproc)" bash -c 'tidy "$@"' tidy || failed=1

checked=$((${#work[@]} / 2)) faulty=$(wc -l <"$warned")
if [ $failed -ne 0 ]; then
  echo "$checked sources in $SECONDS s: warnings in $faulty of them"
else
  echo "$checked sources in $SECONDS s: no warnings"
fi
if [ -n "$strict" ] && [ -n "${left_out:-}" ]; then
  echo "sources were left out: bash tests/tidy.sh checks all"
  failed=1
fi
exit $failed
