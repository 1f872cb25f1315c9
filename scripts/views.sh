#!/usr/bin/env bash
# DuckDB from PyPI reads the views of a snapshot that target/release/scrip (or E2E_SCRIP) writes of a sample.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scrip=${E2E_SCRIP:-target/release/scrip}
[ -x "$scrip" ] || fail "$scrip: missing" "make build"
[ -x "$python_home/bin/python" ] || fail "DuckDB: missing" "scripts/setup.sh --with-browser"

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
mkdir "$data/scrip"
"$scrip" sample --preset automation --events 3000 --seed 7 --data "$data/scrip" >/dev/null
"$scrip" snapshot "$data/snapshot.db" --quiet --data "$data/scrip" >/dev/null
"$python_home/bin/python" end2end/views.py "$data/snapshot.db"
