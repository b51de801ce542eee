# shellcheck shell=bash
# ./dev build [preset] [target...]: without targets, the release preset builds the program and what
# the lab carries; "all" adds the tests, as ./dev test does.
dev_build() {
  local preset=${1:-release} sets=(build)
  [ $# -gt 0 ] && shift
  case $preset in asan) sets+=(test) ;; fuzz) sets+=(fuzz) ;; esac
  dev_install "${sets[@]}"
  [ "$preset" = release ] && [ $# = 0 ] && set -- product
  compile "$preset" "$@"
  [ "$preset" = release ] && [ "$*" = product ] && say "build/tessera"
  return 0
}
