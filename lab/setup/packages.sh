# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Debian packages without installing them, from the system's own sources; kernel.sh and modules.sh read
# this file. They set $work, a folder of their own that goes away, and say().
apt= # options for apt-get and apt-cache; words, so it is never quoted
offered() { apt-cache $apt show "$1" 2>/dev/null | grep -q '^Filename:'; }

# Where the system has no package lists, or none that know the package.
read_lists() {
  [ -z "$apt" ] || return 0
  say "reading the package lists into a private folder"
  mkdir -p "$work/lists/partial" "$work/apt/archives/partial"
  apt="-o Dir::State::Lists=$work/lists -o Dir::Cache=$work/apt -o Acquire::Languages=none"
  apt-get $apt -qq update >&2
}

# packages_below PACKAGE PATTERN: what it directly depends on whose name fits the pattern
packages_below() {
  apt-cache $apt depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)\$/\1/p"
}

# download FOLDER PACKAGE...: leaves FOLDER/*.deb
download_packages() {
  folder=$1
  shift
  say "downloading $*"
  mkdir -p "$folder"
  (cd "$folder" && apt-get $apt -qq -o APT::Sandbox::User= download "$@" >&2)
}

# unpack TREE PACKAGE...: downloads them and unpacks them over one another
unpack_packages() {
  tree=$1
  shift
  download_packages "$tree.debs" "$@"
  mkdir -p "$tree"
  for deb in "$tree.debs"/*.deb; do dpkg-deb -x "$deb" "$tree"; done
  rm -rf "$tree.debs"
}
