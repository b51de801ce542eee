#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Gets a QEMU new enough for the lab's identity cards (vfio-user-pci: 11.1) into the lab's cache.
#
#   lab/setup/qemu11.sh            leaves CACHE/qemu11/qemu-system-x86_64, prints its path
#   TESSERA_LAB_CACHE=DIR          another cache (default ${XDG_CACHE_HOME:-~/.cache}/tessera/lab)
#   TESSERA_LAB_SUITES="a b+c"     suites to try in this order; "b+c" means b, completed by c
#
# exit status: 0 there, 77 this machine's archive does not offer it (skip), 1 something broke
#
# Nothing is installed and nothing of the system's apt is changed: a private apt directory asks the
# same archive that the system is configured for about a further suite, its empty dpkg status makes
# the whole closure come along, and `dpkg -x` unpacks it. The wrapper starts the binary through its
# own loader, so that the C library of this machine does not matter.
set -euo pipefail
export LC_ALL=C

wanted=1:11.1~
cache=${TESSERA_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tessera/lab}
home=$cache/qemu11
suites=${TESSERA_LAB_SUITES:-trixie-backports+trixie sid}
log=$home/setup.log

say() { echo "qemu11: $*" >&2; }
skip() { say "$* (skipped)"; exit 77; }
broken() { say "$*; see $log"; exit 1; }

# The value of a stanza's or line's Signed-By, as written by the user: FILE:N is apt's name for the
# N-th stanza of a .sources file or the N-th line of a .list file.
signed_by() {
  local file=${1%:*} nth=${1##*:}
  case $file in
    *.sources)
      awk -v nth="$nth" 'BEGIN { RS = ""; FS = "\n" } NR == nth {
        for (i = 1; i <= NF; i++) {
          if ($i ~ /^[^ \t#]/) keep = (tolower($i) ~ /^signed-by:/)
          if (keep && $i !~ /^#/) print $i } }' "$file" ;;
    *)
      sed -n "${nth}s/.*\[[^]]*signed-by=\([^] ]*\).*/Signed-By: \1/p" "$file" | tr , ' ' ;;
  esac
}

# Writes a private deb822 source for SUITES at every place from which this system gets its own
# release: mirror, snapshot and proxy alike, whatever they are. apt itself does the parsing.
write_sources() {
  local release entry uri
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ -n "$release" ] || return 1
  # shellcheck disable=SC2016
  apt-get indextargets --no-release-info --format '$(SOURCESENTRY) $(REPO_URI) $(RELEASE)' \
      "Created-By: Packages" "Component: main" "Target-Of: deb" |
    awk -v own="$release" '$3 == own || $3 ~ /^(old)?stable$/ { print $1, $2 }' | sort -u |
    while read -r entry uri; do
      printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$*"
      signed_by "$entry"
      echo
    done > "$apt/etc/sources.list.d/lab.sources"
  [ -s "$apt/etc/sources.list.d/lab.sources" ]
}

# apt-get or apt-cache within the private directory; the user's hooks and pins stay out of it, the
# user's proxies, credentials and trusted keys stay in.
apt_private() {
  local tool=$1
  shift
  "$tool" -c "$apt/etc/apt.conf" "$@"
}

prepare_apt() {
  rm -rf "$apt"
  mkdir -p "$apt"/etc/{preferences.d,sources.list.d} "$apt"/{state/lists,cache/archives}/partial
  : > "$apt/state/status"
  cat > "$apt/etc/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::CNF;
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/etc/sources.list.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/etc/preferences.d";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Default-Release "$1";
CONF
}

# Succeeds with $version set when one of this machine's places offers FIRST[+REST] with the wanted QEMU.
offered() {
  local first=${1%%+*}
  prepare_apt "$first"
  write_sources "${1//+/ }" || return 1
  apt_private apt-get -qq update >> "$log" 2>&1 || return 1
  version=$(apt_private apt-cache policy qemu-system-x86 | awk '$1 == "Candidate:" { print $2 }')
  [ -n "$version" ] && dpkg --compare-versions "$version" ge "$wanted"
}

unpack() {
  local tree=$home/root.new deb
  apt_private apt-get -qq -y --download-only install qemu-system-x86 >> "$log" 2>&1 ||
    broken "the packages could not be fetched"
  rm -rf "$tree"
  mkdir -p "$tree"
  for deb in "$apt"/cache/archives/*.deb; do
    dpkg -x "$deb" "$tree" >> "$log" 2>&1 || broken "${deb##*/} could not be unpacked"
  done
  rm -rf "$tree"/usr/share/{doc,man,locale,perl,lintian,bug} "${tree:?}"/{etc,var}
  rm -rf "$home/root"
  mv "$tree" "$home/root"
}

write_wrapper() {
  local loader triplet
  loader=$(find "$home/root" -path '*/ld-linux*.so.?' -printf '%P\n' | sort | tail -1)
  triplet=$(find "$home/root/usr/lib" -maxdepth 1 -name '*-linux-gnu' -printf '%f\n' | head -1)
  if [ -z "$loader" ] || [ -z "$triplet" ]; then broken "the unpacked tree has no loader"; fi
  # A folder of this name beside the running image (the loader) tells QEMU to look for its modules
  # and firmware below it. Otherwise it also finds the modules of the system's own QEMU, and aborts.
  ln -sfn ../../.. "$home/root/usr/lib/$triplet/qemu-bundle"
  cat > "$home/wrapper.new" <<WRAPPER
#!/bin/sh
# QEMU $version out of a private tree, started by its own loader (made by lab/setup/qemu11.sh).
root=\$(dirname "\$(readlink -f "\$0")")/root
lib=\$root/usr/lib/$triplet
exec "\$root/$loader" --library-path "\$lib:\$lib/pulseaudio" "\$root/usr/bin/qemu-system-x86_64" \\
  -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" -L "\$root/usr/lib/ipxe/qemu" "\$@"
WRAPPER
  chmod +x "$home/wrapper.new"
  "$home/wrapper.new" --version >> "$log" 2>&1 || broken "QEMU $version does not start"
  mv "$home/wrapper.new" "$home/qemu-system-x86_64"
}

main() {
  mkdir -p "$home"
  exec 9> "$home/lock"
  flock 9
  if [ -x "$home/qemu-system-x86_64" ] && "$home/qemu-system-x86_64" --version > "$log" 2>&1; then
    echo "$home/qemu-system-x86_64"
    return
  fi
  command -v apt-get dpkg > /dev/null || skip "this system has no apt to get QEMU 11.1 with"
  apt=$home/apt
  : > "$log"
  local suite found=
  for suite in $suites; do
    if offered "$suite"; then found=${suite%%+*}; break; fi
  done
  [ -n "$found" ] || { rm -rf "$apt"; skip "no suite of this system's archive offers QEMU 11.1"; }
  say "fetching QEMU $version from $found into $home (45 MB, 190 MB unpacked)"
  unpack
  write_wrapper
  rm -rf "$apt"
  echo "$home/qemu-system-x86_64"
}

main "$@"
