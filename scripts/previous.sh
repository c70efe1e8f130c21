#!/usr/bin/env bash
# Builds the version before this one, for the upgrade suite, at .cache/previous/omote.
# A clone without history cannot have it, and says so.
set -euo pipefail
version=v0.1.0 commit=c980af4a17ff98c57ea37236054aa7131f640804
out=$PWD/.cache/previous
if [ "$(cat "$out/commit" 2>/dev/null)" = "$commit" ] && [ -x "$out/omote" ]; then exit 0; fi
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
  echo "the history of this clone does not reach $version: upgrade from the version before (TestUpgradeUnderLoad)"
  exit 1
fi
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git archive "$commit" | tar -x -C "$tree"
mkdir -p "$out"
(cd "$tree" && ${GO:-go} build -ldflags "-X omote/internal/app.Version=$version" -o "$out/omote" ./cmd/omote)
echo "$commit" >"$out/commit"
