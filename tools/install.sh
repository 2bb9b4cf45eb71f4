# Sourced by the scripts that must work on a fresh machine.

# All that a build for this machine uses, its optional parts included.
host_packages=(cmake ninja-build g++ binutils doctest-dev libxsimd-dev libcli11-dev libtomlplusplus-dev
  nlohmann-json3-dev libfmt-dev libzip-dev libsqlite3-dev libeigen3-dev libnlopt-dev libopenmpi-dev)
# Formats of other programs that the project does not read or write itself.
import_packages=(libonnx-dev libprotobuf-dev libhdf5-dev)

# need_packages NAME...: installs the Debian packages that are missing; if none is missing it
# touches neither network nor apt.
need_packages() {
  local name missing=() as_root=()
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian: please install the contents of these packages: $*" >&2
    return 0
  fi
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "Installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Neither root nor sudo: please install ${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
         apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "apt-get could not install ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}

# quietly LOG COMMAND...: the command's output goes to a file, and is shown only if the command
# fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { local code=$?; tail -n 40 "$log" >&2; echo "failed: $* (all of its output: $log)" >&2; return "$code"; }
}
