#!/usr/bin/env bash
# Builds the browser's half into target/site, then target/release/scrip, which embeds it.
# cargo knows whether its own inputs changed; the steps after it are skipped by a hash over what they read.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

raw=target/wasm32-unknown-unknown/wasm-release/frontend.wasm
client=target/client
site=target/site
stamps=target/stamps
mkdir -p "$stamps"

hash_of() { find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }

# unchanged STAMP HASH
unchanged() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }

# A profile that strips everything takes the list of features out of the file, and wasm-opt then believes only what it is told.
bind_client() {
    rm -rf "$client" &&
        wasm-bindgen --target web --no-typescript --out-name scrip --out-dir "$client" "$raw" &&
        wasm-opt --merge-similar-functions -Oz --converge \
            --enable-bulk-memory --enable-bulk-memory-opt --enable-nontrapping-float-to-int --enable-sign-ext \
            --enable-mutable-globals --enable-reference-types --enable-multivalue --enable-call-indirect-overlong \
            --strip-debug --strip-producers --strip-target-features \
            "$client/scrip_bg.wasm" -o "$client/scrip_bg.wasm"
}

assemble_site() { node scripts/assets.mjs "$client" "$site" >"$stamps/first-load"; }

# Small rather than fast where hashing is rare, and no folder of this machine in what is shipped.
wasm_flags="target.wasm32-unknown-unknown.rustflags = ['--cfg=sha2_backend_soft=\"compact\"', '-Zfmt-debug=none', '-Zlocation-detail=none',
    '--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=', '--remap-path-prefix=$root=']"

# Two switches of this compiler that are not stable yet, for the browser's half alone: texts of `Debug` and the places of panics are
# 9 KB of the first load, and nobody sees them there.
quiet "browser: compiling to wasm (1 to 2 min from nothing)" "correct what the compiler names above" \
    env RUSTC_BOOTSTRAP=1 cargo build --config "$wasm_flags" -p scrip-frontend --lib --profile wasm-release --target wasm32-unknown-unknown

client_hash=$(hash_of "$raw" Cargo.lock package-lock.json scripts/build.sh)
if ! unchanged client "$client_hash" || [ ! -f "$client/scrip_bg.wasm" ]; then
    quiet "browser: wasm-bindgen, wasm-opt" "scripts/setup.sh installs both; then run this again" bind_client
    echo "$client_hash" >"$stamps/client"
fi

site_hash=$(hash_of "$client" style public package-lock.json scripts/assets.mjs)
if ! unchanged site "$site_hash" || [ ! -f "$site/pkg/scrip.css" ]; then
    quiet "browser: styles, public files, brotli" "correct what esbuild names above" assemble_site
    echo "$site_hash" >"$stamps/site"
fi

# The compiler notices a changed asset by itself, but not one that is new or gone.
names_hash=$(find "$site" -type f | sort | sha256sum)
if ! unchanged names "$names_hash"; then
    cargo clean --quiet --release -p scrip-server
    echo "$names_hash" >"$stamps/names"
fi

quiet "server: compiling the release (about 12 min from nothing on two cores)" "correct what the compiler names above" \
    cargo build --release -p scrip-server --bin scrip
cat "$stamps/first-load"
