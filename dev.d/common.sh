# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every sub-command of ./dev shares: time, short progress lines, and logs that appear when
# something fails. Sourced by ./dev, never run.

dev_started=$EPOCHREALTIME
dev_logs=build/log
dev_jobs=$(nproc)
mkdir -p "$dev_logs"

# seconds_since START: tenths of seconds, "12.3"; START as $EPOCHREALTIME gives it.
seconds_since() {
  local tenths=$(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# say WORDS...: one progress line with the time since ./dev was started.
say() { printf '[%6s s] %s\n' "$(seconds_since "$dev_started")" "$*"; }

# complain WORDS...: the last words of a failing command.
complain() { printf 'dev: %s\n' "$*" >&2; }

# logged NAME COMMAND...: runs COMMAND with its output in build/log/NAME.log; shows the end of that
# file when the command fails.
logged() {
  local log=$dev_logs/$1.log
  shift
  if "$@" >"$log" 2>&1 </dev/null; then return 0; fi
  local status=$?
  tail -n 60 "$log" >&2
  complain "failed (status $status): $*"
  complain "the whole output is in $log"
  return "$status"
}

# dev_install SET...: installs the packages of these sets that are missing.
dev_install() {
  local packages missing
  packages=$(awk -v sets=" $* " '!/^#/ && NF && index(sets, " " $1 " ") { print $2 }' dev.d/packages.txt)
  # shellcheck disable=SC2086
  missing=$(comm -13 \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null |
      sed -n 's/^installed //p' | sort -u) \
    <(sort -u <<<"$packages"))
  [ -z "$missing" ] && return 0
  # shellcheck disable=SC2086
  set -- $missing
  say "set-up: installing $# packages"
  install_packages "$@"
  say "set-up: done"
}

install_packages() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      complain "packages are missing and this user may not install them. As root run:"
      complain "  apt-get install --no-install-recommends $*"
      return 1
    fi
    sudo -v
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  # A failing update (one broken third-party source) need not stop us: the install decides.
  "${apt[@]}" update >"$dev_logs/apt-update.log" 2>&1 </dev/null ||
    say "set-up: apt-get update had errors (see $dev_logs/apt-update.log); going on"
  logged apt-install "${apt[@]}" -y --no-install-recommends install "$@"
}

# configure PRESET: runs cmake when this build folder has none of its files yet, lost its cache, or was
# configured by older presets.
configure() {
  local folder
  folder=$(build_folder "$1")
  [ -f "$folder/build.ninja" ] && [ "$folder/CMakeCache.txt" -nt CMakePresets.json ] && return 0
  say "build ($1): configuring"
  logged "configure-$1" cmake --preset "$1"
}

# build_folder PRESET: where CMakePresets.json puts it.
build_folder() { if [ "$1" = release ]; then echo build; else echo "build-$1"; fi; }

# compile PRESET [TARGET...]: builds, with a line every few seconds.
compile() {
  local preset=$1 begin=$EPOCHREALTIME folder log
  shift
  configure "$preset"
  folder=$(build_folder "$preset")
  log=$dev_logs/build-$preset.log
  local targets=()
  [ $# -gt 0 ] && targets=(--target "$@")
  if ! NINJA_STATUS='%f %t ' cmake --build "$folder" -j "$dev_jobs" "${targets[@]}" 2>&1 </dev/null |
    tee "$log" | compile_progress "$preset"; then
    sed -n '/FAILED:/,$p' "$log" | head -n 80 >&2
    complain "the build failed; the whole output is in $log"
    return 1
  fi
  say "build ($preset): ready, $(seconds_since "$begin") s"
}

compile_progress() {
  local line last=$SECONDS
  while IFS= read -r line; do
    [[ $line =~ ^([0-9]+)\ ([0-9]+)\  ]] || continue
    if ((SECONDS - last >= 5)); then
      last=$SECONDS
      say "build ($1): ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
    fi
  done
}
