# Sourced by format.sh and tidy.sh: names the version of clang's tools that checks this project, and
# lists the project's files.

# Debian 12 and 13 both have it. Versions format differently and warn of different things.
clang_version=19

# clang_tool NAME: prints the command NAME of that version. Installs it if apt has it; fails if the
# command is not available.
clang_tool() {
  local name=$1 versioned=$1-$clang_version
  if ! command -v "$versioned" >/dev/null; then
    if "$name" --version 2>/dev/null | grep -q "version $clang_version\."; then
      echo "$name"
      return
    fi
    command -v apt-get >/dev/null && need_packages "$versioned" >&2
  fi
  command -v "$versioned" >/dev/null && echo "$versioned"
}

# files PATTERN...: prints the project's files, one per line: those that git tracks, or all outside
# build/ in a tree without git.
files() {
  if ! git ls-files -- "$@" 2>/dev/null; then
    local pattern names=()
    for pattern in "$@"; do names+=(-o -name "$pattern"); done
    find . -path ./build -prune -o -type f \( "${names[@]:1}" \) -printf '%P\n'
  fi | sort
}
