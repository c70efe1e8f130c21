#!/usr/bin/env bash
# Runs every suite in its short form and ends with the counts.
set -uo pipefail
mkdir -p .cache
log=.cache/test.json
started=$(date +%s)
timeout=${TEST_TIMEOUT:-14m}
# -p 2: two packages at a time on two cores; what is slow is slow by waiting.
go test -json -count=1 -timeout "$timeout" -p "${TEST_PARALLEL:-2}" ./... >"$log" 2>.cache/test.err
status=$?
go run ./scripts/testreport <"$log"
report=$?
if [ -s .cache/test.err ]; then cat .cache/test.err; fi
echo "took $(($(date +%s) - started)) s"
if [ -s .cache/left-out ]; then
  echo "suites left out on this machine:"
  sed 's/^/  /' .cache/left-out
fi
[ $status -eq 0 ] && [ $report -eq 0 ]
