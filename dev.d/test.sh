# shellcheck shell=bash
# ./dev test [ctest args]: the release build has the tests that drive the program (text cases, golden
# outputs, crashes, the lab); the sanitized build has the unit tests, and the text cases once more.
# The last line is "N passed, N failed[, N skipped]".
dev_test() {
  dev_install build test lab
  test_passed=0 test_failed=0 test_skipped=0
  compile release
  compile asan
  run_ctest release "$@"
  run_ctest asan -LE 'lab|lint|slow' -E '^(golden|crash|generated|program.json_schemas|program.big_server)' "$@"
  # What a crash test covered is worth a line even when it passed.
  sed -n 's/^\([0-9]\+ crash points, .*\)$/crash test: \1/p' build*/Testing/Temporary/LastTest.log 2>/dev/null |
    sort -u
  say "test: done"
  printf '%d passed, %d failed' "$test_passed" "$test_failed"
  ((test_skipped)) && printf ', %d skipped' "$test_skipped"
  printf '\n'
  ((test_failed == 0 && test_passed > 0))
}

# run_ctest PRESET ARGS...: runs and adds up; never fails itself.
run_ctest() {
  local preset=$1 begin=$EPOCHREALTIME log=$dev_logs/ctest-$1.log status=0
  shift
  say "test ($preset): starting"
  ctest --test-dir "$(build_folder "$preset")" -j "$dev_jobs" --timeout 600 --no-tests=error \
    --output-on-failure "$@" 2>&1 </dev/null | tee "$log" | test_progress "$preset" || status=1
  add_up "$log" "$preset" "$status"
  say "test ($preset): ready, $(seconds_since "$begin") s"
}

# One line of ctest for a test that ended: "12/160 Test #12: name ....   Passed    0.01 sec".
test_line='^ *([0-9]+)/([0-9]+) Test +#'
test_skipped_line='\*\*\*(Skipped|Not Run \(Disabled\)) '

# Passes on what failing tests print; of the others only a count now and then.
test_progress() {
  local line last=$SECONDS count
  while IFS= read -r line; do
    if [[ $line =~ $test_line ]]; then
      count="${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
      [[ $line =~ \ Passed\  || $line =~ $test_skipped_line ]] || printf '%s\n' "$line"
      if ((SECONDS - last >= 10)); then
        last=$SECONDS
        say "test ($1): $count"
      fi
    elif [[ ! $line =~ ^(\ +Start\ +[0-9]+:|Internal\ ctest|Test\ project|Label\ Time|Total\ Test|\ *$) ]]; then
      printf '%s\n' "$line"
    fi
  done
}

# add_up LOG PRESET STATUS: counts what LOG says. A test that was announced and has no result, and
# a ctest that failed without naming a test, are failures too.
add_up() {
  local announced passed skipped failed
  announced=$(sed -nE "\|$test_line| { s|$test_line.*|\2|p; q }" "$1")
  passed=$(grep -cE "$test_line.* Passed " "$1" || true)
  skipped=$(grep -cE "$test_line.*$test_skipped_line" "$1" || true)
  failed=$((${announced:-0} - passed - skipped))
  if ((failed == 0 && $3 != 0)); then
    complain "ctest ($2) failed; see $1"
    failed=1
  fi
  test_passed=$((test_passed + passed))
  test_failed=$((test_failed + failed))
  test_skipped=$((test_skipped + skipped))
}
