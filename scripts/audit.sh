#!/usr/bin/env bash
# Licences, banned crates and sources of everything that Cargo.lock names, by deny.toml.
# Not part of the tests, because the tool takes long to build; not its advisories, because their database is no package.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

version=0.20.2
home=$tools/cargo-deny-$version

scripts/setup.sh
# Set-up may just have chosen a toolchain.
# shellcheck source=scripts/env.sh
. scripts/env.sh

install_cargo_deny() {
    CARGO_TARGET_DIR=$tools/build-cargo-deny cargo install cargo-deny --version "=$version" --locked --root "$home" \
        --config profile.release.lto=false --config profile.release.codegen-units=16 --config profile.release.opt-level=1 &&
        rm -rf "$tools/build-cargo-deny"
}

if ! command -v cargo-deny >/dev/null && [ ! -x "$home/bin/cargo-deny" ]; then
    quiet "cargo-deny $version: cargo install (long, once per user)" "see that cargo reaches crates.io, then run this again" install_cargo_deny
fi
export PATH="$PATH:$home/bin"
exec cargo deny --all-features check bans licenses sources
