# shellcheck shell=bash
# ./dev lint [file...]: all checks over all files, or clang-tidy over these files only.
# ./dev lint --changed: clang-tidy over what differs from the last commit.
dev_lint() {
  dev_install build lint
  logged configure-lint cmake --preset lint  # each time: it knows the sources of now
  lint_failed=0
  lint_step layers scripts/check-layers
  lint_step links scripts/check-links
  lint_step format scripts/check-format
  lint_step scripts scripts/check-scripts
  local files=("$@")
  if [ "${1:-}" = --changed ]; then
    mapfile -t files < <(git status --porcelain --no-renames | sed -n 's/^[^D][^D] \(.*\.cpp\)$/\1/p')
  elif [ $# = 0 ]; then
    lint_step headers lint_headers
    mapfile -t files < <(compiled_sources)
  fi
  # A header is looked at with the sources that include it.
  mapfile -t files < <(printf '%s\n' "${files[@]}" | grep '\.cpp$')
  [ ${#files[@]} = 0 ] || lint_step clang-tidy lint_tidy "${files[@]}"
  ((lint_failed == 0)) || { complain "$lint_failed of the checks failed"; return 1; }
}

lint_step() {
  local name=$1 begin=$EPOCHREALTIME
  shift
  if "$@"; then
    say "lint: $name, $(seconds_since "$begin") s"
  else
    say "lint: $name FAILED"
    lint_failed=$((lint_failed + 1))
  fi
}

# Sources that a build compiles for this machine (the lab's guest is freestanding).
compiled_sources() {
  sed -n 's|^  "file": "'"$PWD"'/\(.*\.cpp\)",\{0,1\}$|\1|p' build-lint/compile_commands.json |
    grep -v '^lab/guest/' | sort -u
}

# Each header of ours compiles on its own.
lint_headers() {
  local flags
  flags=$(pkg-config --cflags fuse3 hwloc libkmod libudev pugixml sqlite3 yaml-cpp)
  # shellcheck disable=SC2016,SC2086
  find src -name '*.h' -print0 | xargs -0 -P "$dev_jobs" -I{} sh -c '
    printf "#include \"%s\"\n" "${1#src/}" | g++ -std=c++23 -fsyntax-only -Isrc '"$flags"' -x c++ - ||
      { echo "$1 does not compile on its own"; exit 1; }' sh {}
}

lint_tidy() {
  local log=$dev_logs/clang-tidy.log
  if printf '%s\0' "$@" | xargs -0 -P "$dev_jobs" -n 1 clang-tidy-19 --quiet -p build-lint \
    --extra-arg=-Wno-unknown-warning-option >"$log" 2>"$log.noise"; then return 0; fi
  grep -E '(error|warning):' "$log" | sort -u | head -n 100
  complain "with their source lines: $log"
  return 1
}
