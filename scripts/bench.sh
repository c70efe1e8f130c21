#!/usr/bin/env bash
# Prints the figures of the hot paths as JSON, one object a line.
set -u
run() { echo "{\"bench\":\"$*\",\"result\":$(bin/omote bench "$@" --json 2>/dev/null | tr -d '\n')}"; }
run log
run mining --events 1300000
run mining --events 10000000
run warehouse
run ingest
