#!/usr/bin/env bash
# Fails where what a browser loads first is above its budget: build.sh wrote down how much it is.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

budget_bytes=350000

figures=$(cat target/stamps/first-load) || fail "target/stamps/first-load: missing" "make build"
echo "$figures"
read -r bytes < <(sed -n 's/^first load with brotli: \([0-9]*\) bytes.*/\1/p' <<<"$figures") ||
    fail "target/stamps/first-load: has no sum" "make build"
[ "$bytes" -le "$budget_bytes" ] ||
    fail "first load: $bytes bytes, of which $budget_bytes are allowed" "leave out of the browser what it need not do (ARCHITECTURE.md)"
