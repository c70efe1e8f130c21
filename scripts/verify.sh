#!/usr/bin/env bash
# Runs the long forms: coverage simulations, hundreds of seeds, full crash runs,
# and every fuzz target for a while. Prints a report.
set -uo pipefail
mkdir -p .cache
export OMOTE_VERIFY=1
FUZZ_TIME=${FUZZ_TIME:-30s}
status=0
go test -json -count=1 -timeout 6h -p 1 ./... >.cache/verify.json 2>.cache/verify.err || status=1
go run ./scripts/testreport <.cache/verify.json || status=1
cat .cache/verify.err
targets=0
for file in $(grep -rlE '^func Fuzz' --include='*_test.go' .); do
  for target in $(grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/^func //'); do
    targets=$((targets + 1))
    if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZ_TIME" "./$(dirname "$file")" >.cache/fuzz.out 2>&1; then
      echo "FUZZ FAILED $(dirname "$file") $target"
      tail -30 .cache/fuzz.out
      status=1
    fi
  done
done
echo "$targets fuzz targets, $FUZZ_TIME each"
exit $status
