# shellcheck shell=bash
# What the measurements share: times in microseconds, and the median of a list of them.
took_us() { local begin=${EPOCHREALTIME/./}; "$@" >/dev/null 2>&1; echo $((${EPOCHREALTIME/./} - begin)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
