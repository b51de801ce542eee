# shellcheck shell=bash
# ./dev build [preset] [target...]
dev_build() {
  local preset=${1:-release} sets=(build)
  [ $# -gt 0 ] && shift
  [ "$preset" = fuzz ] && sets+=(fuzz)
  dev_install "${sets[@]}"
  compile "$preset" "$@"
  [ "$preset" = release ] && [ $# = 0 ] && say "build/tessera"
  return 0
}
