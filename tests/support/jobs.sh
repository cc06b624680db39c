# Runs independent commands in parallel and counts what passed. Sourced by scripts/test.
#
#   check NAME COMMAND…         one thing that passes or fails; its output is printed if it fails
#   unit_test BUILD PROGRAM     a cmocka program; each of its tests counts
#   spec NAME COMMAND…          specs; the command writes its counts to $F5LUA_TEST_COUNTS
#   run_jobs HEADING            runs what was added since the last call, and prints the results
#   summary                     the last lines; fails if anything failed
#
# The longest job starts first (tests/durations.txt says how long each took), and results are
# printed in the order of the starts, one job at a time.

# One more than there are cores: for half of their time specs wait.
jobs_at_once=$(($(nproc) + 1))
passed=0 failed=0 skipped=0
failed_jobs=() skipped_specs=()
work=$(mktemp -d)

declare -A usual_seconds=()
while read -r seconds name; do
  [[ $seconds == \#* ]] || usual_seconds[$name]=$seconds
done <tests/durations.txt

job_kinds=() job_names=() job_commands=()
declare -A job_of_process=()

add_job() {
  job_kinds+=("$1") job_names+=("$2")
  shift 2
  job_commands+=("$(printf '%q ' "$@")")
}

check() { add_job check "$@"; }
spec() { add_job spec "$@"; }
unit_test() {
  add_job unit "$1 unit $(basename "$2")" env CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$2"
}

# Counts of a check, a unit test program, or specs: "PASSED FAILED SKIPPED". A program that died
# counts as a failure, also if it did not come to its summary but ended with status 0.
counts_of_check() {
  if [ "$1" -eq 0 ]; then echo 1 0 0; else echo 0 1 0; fi
}

counts_of_unit() {
  local good bad
  good=$(grep -c '^ok ' "$2")
  bad=$(grep -c '^not ok ' "$2")
  if [ "$1" -ne 0 ] && [ "$bad" -eq 0 ] || [ "$good" -eq 0 ]; then
    echo "the program ended with status $1" >>"$2"
    bad=$((bad + 1))
  fi
  echo "$good $bad 0"
}

counts_of_spec() {
  local good=0 bad=0 left_out=0 end=
  [ ! -f "$3" ] || read -r good bad left_out end <"$3"
  if [ "$end" != end ] || { [ "$1" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
    echo "the program ended with status $1 before the end of its specs" >>"$2"
    bad=$((bad + 1))
  fi
  echo "$good $bad $left_out"
}

# In a process of its own, with the name of its files as $2.
run_job() {
  local index=$1 file=$2 started=$EPOCHREALTIME status
  F5LUA_TEST_COUNTS=$file.counts eval "${job_commands[index]}" >"$file.output" 2>&1 </dev/null
  status=$?
  "counts_of_${job_kinds[index]}" $status "$file.output" "$file.counts" >"$file.result"
  echo "$started $EPOCHREALTIME" | awk '{ printf "%.1f\n", $2 - $1 }' >"$file.seconds"
}

print_job() {
  local index=$1 file=$work/$1 good=0 bad=1 left_out=0 seconds=0 line
  # no result: the process that runs the job was killed
  [ ! -s "$file.result" ] || read -r good bad left_out <"$file.result"
  [ ! -s "$file.seconds" ] || read -r seconds <"$file.seconds"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left_out))
  while IFS= read -r line; do
    skipped_specs+=("${job_names[index]}: ${line#skipped: }")
  done < <(grep '^skipped: ' "$file.output")
  if [ "$bad" -gt 0 ]; then
    failed_jobs+=("${job_names[index]}")
    cat "$file.output"
  fi
  printf '%-60s %4d passed %3d failed' "${job_names[index]}" "$good" "$bad"
  [ "$left_out" -eq 0 ] || printf ' %3d skipped' "$left_out"
  printf ' %6.1f s\n' "$seconds"
  printf '%s %s\n' "$seconds" "${job_names[index]}" >>"$work/durations"
}

# Waits until one job has ended; prints it and those after it, as far as they have ended.
finish_one() {
  local process
  wait -n -p process "${!job_of_process[@]}"
  : >"$work/${job_of_process[$process]}.ended"
  unset "job_of_process[$process]"
  while [ $printed -lt ${#order[@]} ] && [ -e "$work/${order[printed]}.ended" ]; do
    print_job "${order[printed]}"
    printed=$((printed + 1))
  done
}

longest_first() {
  local index
  for index in "${!job_names[@]}"; do
    echo "${usual_seconds[${job_names[index]}]-1} $index"
  done | sort -k 1,1rn -k 2,2n | cut -d ' ' -f 2
}

run_jobs() {
  local order printed=0 index
  [ ${#job_names[@]} -gt 0 ] || return 0
  printf '\n== %s\n' "$1"
  mapfile -t order < <(longest_first)
  # Each job gets a process group of its own: it can be ended with all that it started, and it does
  # not inherit that SIGINT is ignored.
  set -m
  for index in "${order[@]}"; do
    [ ${#job_of_process[@]} -lt "$jobs_at_once" ] || finish_one
    run_job "$index" "$work/$index" &
    job_of_process[$!]=$index
  done
  while [ ${#job_of_process[@]} -gt 0 ]; do finish_one; done
  set +m
  rm -f "$work"/*.{output,counts,result,seconds,ended}
  job_kinds=() job_names=() job_commands=()
}

end_jobs() {
  local process
  for process in "${!job_of_process[@]}"; do kill -TERM -- "-$process" 2>/dev/null; done
  rm -rf "$work"
}
trap end_jobs EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

summary() {
  local line
  echo
  for line in "${skipped_specs[@]}"; do echo "skipped: $line"; done
  for line in "${failed_jobs[@]}"; do echo "failed: $line"; done
  printf '%d passed, %d failed' $passed $failed
  [ $skipped -eq 0 ] || printf ', %d skipped' $skipped
  printf '\n'
  [ $failed -eq 0 ]
}
