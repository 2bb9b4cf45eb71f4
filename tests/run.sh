#!/usr/bin/env bash
# Every test on every target: this machine; this machine's programs on an emulated CPU of 2008;
# AArch64 (also on a Cortex-A53) and, without the command, ARMv7 under qemu; firmware on six
# emulated Cortex-M boards, and its size; and, built by clang, kernels, runtime, trainer and all
# parsers under AddressSanitizer and UBSan. Installs the packages that it needs, shows a build's
# output only if the build fails, and ends with CTest's own lines. Checks the format of every file
# first, and runs clang-tidy on the sources that changed last.
#   bash tests/run.sh
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source tools/install.sh
need_packages "${host_packages[@]}" "${import_packages[@]}" openmpi-bin sqlite3 \
  clang libclang-rt-dev libomp-dev g++-aarch64-linux-gnu g++-arm-linux-gnueabihf qemu-user-static \
  gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm || exit 1

failed=()
logs=build/test-logs
rm -rf "$logs" && mkdir -p "$logs"
say() { printf '\n== %s, after %d s\n' "$*" "$SECONDS"; }

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  say "building $preset"
  quietly "$logs/$preset-configure.log" cmake --preset "$preset" -DSLUICE_WERROR=ON &&
    quietly "$logs/$preset-build.log" cmake --build --preset "$preset" --target "$@" || { failed+=("building $preset"); return 1; }
}

# run NAME BUILD-DIRECTORY CTEST-ARGUMENT...: shows the skipped tests, then CTest's output.
run() {
  local name=$1 directory=$2 log="$logs/$1-ctest.log"
  shift 2
  say "testing $name"
  ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$(nproc)" "$@" >"$log" 2>&1 || failed+=("testing $name")
  grep -aoh 'skipped[,: ].*' "$directory/Testing/Temporary/LastTest.log" | sort -u
  [ "$name" = release ] || cat "$log"
}

# weigh CORE FORMAT: the flash that firmware with a GRU and a Dense of one number format takes,
# nothing sparse, at -Os.
weigh() {
  local name=$1-$2-size
  quietly "$logs/$name.log" cmake --preset "$1" -B "build/$name" -DSLUICE_WERROR=ON -DSLUICE_FIRMWARE_LEVEL=-Os \
    -DSLUICE_FORMATS="$2" -DSLUICE_LAYERS="gru;dense" -DSLUICE_SPARSE=OFF &&
    quietly "$logs/$name.log" cmake --build "build/$name" --target size && run "$name" "build/$name" -R '^(size|left_out)$' ||
    failed+=("weighing $name")
  grep -ao 'code and tables: .*' "build/$name/Testing/Temporary/LastTest.log"
}

say "the format of every file"
bash tests/format.sh || failed+=("the format")

build release all && run release build/release
# The emulated CPU of 2008 keeps one core busy for long, so the next preset is built meanwhile.
nehalem=
if [ -e build/release/tests/nehalem/CTestTestfile.cmake ]; then
  (failed=() && run nehalem build/release/tests/nehalem && exit ${#failed[@]}) >"$logs/nehalem.log" 2>&1 &
  nehalem=$!
else
  echo "skipped, not an x86-64: the run on an emulated Nehalem"
fi
# clang's sanitizers, since its UBSan finds more than GCC's, for example offsets added to null
# pointers. This also keeps the code free of clang's warnings: all that this machine builds.
build clang all
if [ -n "$nehalem" ]; then
  wait "$nehalem" || failed+=("testing nehalem")
  cat "$logs/nehalem.log"
fi
[ -e build/clang/bin/test_tools ] && run clang build/clang -L memory
build aarch64 all && run aarch64 build/aarch64 && run cortex-a53 build/aarch64/tests/a53
# A board with ARMv7 runs models and trains; the command is for hosts.
build armv7 test_kernels test_runtime test_train test_no_allocator && run armv7 build/armv7 -L memory -E '^(tools|bad_input)$'
for core in cortex-m0 cortex-m3 cortex-m4 cortex-m7 cortex-m33 cortex-m55; do
  build $core all && run $core build/$core
done
weigh cortex-m0 int8
weigh cortex-m4 int8
weigh cortex-m4 f32

say "clang-tidy on changed sources"
bash tests/tidy.sh --changed || failed+=("clang-tidy")

if [ ${#failed[@]} -gt 0 ]; then
  printf '\nFAILED: %s\n' "${failed[@]}"
fi
[ -e "$logs/release-ctest.log" ] && cat "$logs/release-ctest.log"
exit $((${#failed[@]} > 0))
