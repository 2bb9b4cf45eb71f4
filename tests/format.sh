#!/usr/bin/env bash
# Checks the format of every file: C and C++ as clang-format writes them, prose and comments of
# scripts, Python and TOML within 100 columns; and that the top level holds no other files.
#   bash tests/format.sh          names the faults
#   bash tests/format.sh --fix    lets clang-format rewrite the sources
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source tools/install.sh
source tests/clang.sh

mapfile -t sources < <(files '*.h' '*.hpp' '*.c' '*.cpp')
mapfile -t prose < <(files '*.md')
mapfile -t scripts < <(files '*.sh' '*.cmake' CMakeLists.txt '*/CMakeLists.txt' '*.py' '*.toml')
failed=0

if ! tool=$(clang_tool clang-format); then
  echo "skipped, no clang-format $clang_version: the format of ${#sources[@]} sources"
elif [ "${1:-}" = --fix ]; then
  "$tool" -i "${sources[@]}" || failed=1
else
  "$tool" --dry-run --Werror "${sources[@]}" || { failed=1; echo "bash tests/format.sh --fix rewrites these sources"; }
fi

# too_long KIND FILE...: names lines of more than 100 columns. KIND prose leaves out code blocks,
# tables, images and links; KIND comments leaves out all lines without a comment or a docstring. awk
# counts bytes without a locale, so the bytes that continue a character of UTF-8 are removed first.
too_long() {
  LC_ALL=C awk -v kind="$1" '
    FNR == 1 { fenced = code = quoted = 0; blank = 1 }
    /^ *```/ { fenced = !fenced; next }
    kind == "prose" {
      code = /^    / && (code || blank)
      blank = /^ *$/
      if (fenced || code || /^ *\|/) next
    }
    kind == "comments" {
      quotes = FILENAME ~ /\.py$/ ? gsub(/"""/, "&") : 0
      docstring = quoted || quotes
      if (quotes % 2) quoted = !quoted
      if (!docstring && !/^ *#[^!]/ && !/[a-z0-9)];?  # [a-z]/) next
    }
    {
      gsub(/!\[[^]]*\]\([^)]*\)|https?:[^ )]*/, "")
      gsub(/[\200-\277]/, "")
      if (length($0) > 100) { print FILENAME ":" FNR ": " length($0) " columns: give at most 100"; failed = 1 }
    }
    END { exit failed }' "${@:2}"
}
too_long prose "${prose[@]}" || failed=1
too_long comments "${scripts[@]}" || failed=1

# The top level holds what DESIGN.md names, and files that begin with a dot.
stray=$(files '*' | grep -v / | grep -vE '^(CMakeLists\.txt|CMakePresets\.json|README\.md|LICENSE|CHANGELOG\.md|DESIGN\.md|SECURITY\.md|\..*)$')
[ -z "$stray" ] || { echo "not a file of the top level: $stray"; failed=1; }

[ $failed -ne 0 ] || echo "${#sources[@]} sources, ${#prose[@]} texts, ${#scripts[@]} scripts: no faults"
exit $failed
