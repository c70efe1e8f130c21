#!/usr/bin/env bash
# Formatting, vet, staticcheck, and generated files that are current.
set -u
status=0
unformatted=$(gofmt -l $(git ls-files '*.go' | grep -v _templ.go))
if [ -n "$unformatted" ]; then
  echo "not formatted:"
  echo "$unformatted"
  status=1
fi
go vet ./... || status=1
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./... || status=1
before=$(git status --porcelain -- '*_templ.go')
go tool templ generate >/dev/null 2>&1 || status=1
if [ "$before" != "$(git status --porcelain -- '*_templ.go')" ]; then
  echo "generated components were old: run make generate"
  status=1
fi
exit $status
