#!/usr/bin/env bash
# Tries the API of target/release/scrip (or E2E_SCRIP) by its own description: no 5xx, no answer that is not described.
# Another seed: SEED=7. More of it: EXAMPLES=200.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scrip=${E2E_SCRIP:-target/release/scrip}
[ -x "$scrip" ] || fail "$scrip: missing" "make build"
[ -x "$schemathesis" ] || fail "schemathesis: missing" "scripts/setup.sh --with-browser"

data=$(mktemp -d)
server=
close() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$data"
}
trap close EXIT

"$scrip" org create Fuzz --preset token-billing --grant 1000000 --data "$data"
# The examples name key_3: keys to be rotated and revoked come before the one that asks.
for _ in 1 2 3; do "$scrip" key create --org Fuzz --data "$data" >/dev/null; done
key=$("$scrip" key create --org Fuzz --scope admin --data "$data")
# Limits of how many requests are taken have tests of their own.
SCRIP_KEY_REQUESTS_PER_S=0 SCRIP_ORG_REQUESTS_PER_S=0 SCRIP_LOG=warn \
    "$scrip" serve --data "$data" --listen 127.0.0.1:0 >"$data/out" 2>"$data/log" &
server=$!
url=
for _ in $(seq 100); do
    url=$(sed -n 's/.* on \(http:[^ ]*\) .*/\1/p' "$data/out" | head -n 1)
    if [ -n "$url" ]; then break; fi
    read -r -t 0.1 <> <(:) || true
done
[ -n "$url" ] || fail "the server did not start" "see what it says: $(cat "$data/log")"

# Events that every example can ask for.
curl -fsS "$url/api/v1/events" -H "Authorization: Bearer $key" -H 'content-type: application/json' \
    -d '[{"id":"1","source":"api","type":"input_tokens","data":{"quantity":1000}},{"id":"2","source":"api","type":"images"}]' >/dev/null

"$schemathesis" run "$url/api/openapi.json" --header "Authorization: Bearer $key" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-25}" --seed "${SEED:-1}" \
    --generation-deterministic --no-color --workers 2
"$scrip" verify --data "$data" --quiet
if grep -q "$key" "$data/log"; then
    fail "the key is in the log" "find who logs headers"
fi
