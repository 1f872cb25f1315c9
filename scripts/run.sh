#!/usr/bin/env bash
# Set-up, build, and the server in the foreground. DATA and LISTEN say where; the first start loads a sample organization.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

data=${DATA:-data}
listen=${LISTEN:-127.0.0.1:3000}

scripts/setup.sh
scripts/build.sh
# The server takes SCRIP_… for its own configuration.
unset SCRIP_TOOLCHAIN

if [ ! -e "$data/scrip.db" ]; then
    mkdir -p "$data"
    SCRIP_LISTEN=$listen target/release/scrip sample --data "$data" ||
        fail "the sample organization could not be loaded into $data" "see above; then remove $data/scrip.db, if it is there, and run this again"
else
    echo "Sign in at http://${listen/#0.0.0.0/127.0.0.1} with the account you have there; a new data folder (make run DATA=other) brings a sample account."
fi
exec target/release/scrip serve --data "$data" --listen "$listen"
