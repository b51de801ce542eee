# shellcheck shell=bash
# ./dev demo: from a bare machine to a guest that owns a card; lab/demo.sh is the play itself.
dev_demo() {
  dev_install build lab
  compile release product
  say "demo: starting"
  bash lab/demo.sh "$@"
  say "demo: done"
}
