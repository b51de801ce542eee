# shellcheck shell=bash
# ./dev setup [set...]: without sets, all that building, testing and the demo need.
dev_setup() {
  [ $# -gt 0 ] || set -- build test lab
  dev_install "$@"
}
