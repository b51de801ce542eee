# shellcheck shell=bash
# ./dev bench [name...]: runs bench/NAME.sh, or all of them, with the release build.
dev_bench() {
  dev_install build test lab
  compile release product
  local scripts=() name
  for name in "$@"; do scripts+=("bench/$name.sh"); done
  [ $# -gt 0 ] || mapfile -t scripts < <(find bench -maxdepth 1 -name '*.sh' | sort)
  if [ ${#scripts[@]} = 0 ]; then
    say "bench: bench/ holds no measurement yet"
    return 0
  fi
  for name in "${scripts[@]}"; do
    say "bench: $name"
    bash "$name"
  done
}
