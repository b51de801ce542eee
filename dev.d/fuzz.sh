# shellcheck shell=bash
# ./dev fuzz [target...] [--runs N] [--seconds S] [--keep]
# Runs each target over its corpus and beyond: 1,000,000 inputs or 5 minutes, whichever ends first.
# An input that breaks a target is kept in build-fuzz/found/TARGET/ and its name printed.
# --keep adds what reached new code to tests/fuzz/corpus (only inputs that no other one covers).
dev_fuzz() {
  local runs=1000000 seconds=300 keep=no targets=() failed=0 target
  while [ $# -gt 0 ]; do
    case $1 in
      --runs) runs=$2 && shift ;;
      --seconds) seconds=$2 && shift ;;
      --keep) keep=yes ;;
      -*) complain "fuzz: there is no option '$1'"; return 64 ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  dev_install build fuzz
  if [ ${#targets[@]} = 0 ]; then
    mapfile -t targets < <(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
  fi
  compile fuzz "${targets[@]/#/fuzz_}"
  printf '%s\0' "${targets[@]}" |
    xargs -0 -P "$dev_jobs" -I{} bash -c '. dev.d/common.sh; . dev.d/fuzz.sh; dev_started=$1; fuzz_one "$2" "$3" "$4"' \
      fuzz "$dev_started" {} "$runs" "$seconds" || failed=1
  if [ $keep = yes ]; then for target in "${targets[@]}"; do fuzz_keep "$target"; done; fi
  return $failed
}

fuzz_one() { # TARGET RUNS SECONDS
  local begin=$EPOCHREALTIME work=build-fuzz/runs/$1 found=build-fuzz/found/$1 log=$dev_logs/fuzz-$1.log
  mkdir -p "$work" "$found"
  if build-fuzz/"fuzz_$1" -runs="$2" -max_total_time="$3" -timeout=10 -rss_limit_mb=3000 -max_len=16384 \
    -artifact_prefix="$found/" -print_final_stats=1 "$work" "tests/fuzz/corpus/$1" >"$log" 2>&1; then
    say "fuzz: $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
      "$(seconds_since "$begin") s, nothing broke"
  else
    tail -n 40 "$log" >&2
    complain "fuzz: $1 broke; the whole output is in $log"
    return 1
  fi
}

fuzz_keep() { # TARGET
  local corpus=tests/fuzz/corpus/$1 before after
  before=$(find "$corpus" -type f | wc -l)
  build-fuzz/"fuzz_$1" -merge=1 -max_len=2048 "$corpus" "build-fuzz/runs/$1" >>"$dev_logs/fuzz-$1.log" 2>&1
  after=$(find "$corpus" -type f | wc -l)
  say "fuzz: $1: $((after - before)) inputs added to $corpus"
}
