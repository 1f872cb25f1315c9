#!/usr/bin/env bash
# Builds both halves for development, serves them, and does so again after every change. Ctrl-C ends it.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

data=${DATA:-data}
listen=${LISTEN:-127.0.0.1:3000}
raw=target/wasm32-unknown-unknown/debug/frontend.wasm
client=target/client-dev
mark=target/watch-mark
server=
served=

scripts/setup.sh
# Set-up may just have chosen a toolchain.
# shellcheck source=scripts/env.sh
. scripts/env.sh
unset SCRIP_TOOLCHAIN

stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
        server=
    fi
}
trap stop EXIT
trap 'exit 130' INT TERM

build_both() {
    cargo build --quiet -p scrip-frontend --lib --target wasm32-unknown-unknown &&
        cargo build --quiet -p scrip-server --bin scrip || return 1
    if [ ! -f "$client/scrip_bg.wasm" ] || [ "$raw" -nt "$client/scrip_bg.wasm" ]; then
        wasm-bindgen --target web --no-typescript --out-name scrip --out-dir "$client" "$raw" || return 1
    fi
    # The release build must not take these assets for its own.
    rm -f target/stamps/site
    node scripts/assets.mjs "$client" target/site --dev
}

restart_if_changed() {
    local built
    built=$(stat -c %y target/debug/scrip)
    if [ "$built" = "$served" ] && kill -0 "$server" 2>/dev/null; then
        return
    fi
    stop
    if [ ! -e "$data/scrip.db" ]; then
        mkdir -p "$data"
        target/debug/scrip sample --data "$data"
    fi
    target/debug/scrip serve --data "$data" --listen "$listen" &
    server=$!
    served=$built
}

while true; do
    started=$SECONDS
    # Before the build: what is saved while it runs is built next.
    touch "$mark"
    if build_both; then
        restart_if_changed
        echo "built in $((SECONDS - started)) s; http://$listen"
    else
        echo "not built: correct what is named above and save"
    fi
    # Editors' files come and go while find looks; it need not say so.
    until [ -n "$(find Cargo.toml Cargo.lock app server frontend migrations presets style public \
        -newer "$mark" -print -quit 2>/dev/null)" ]; do
        sleep 0.3
    done
done
