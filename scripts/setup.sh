#!/usr/bin/env bash
# Installs what is missing to build Scrip, and with --with-browser also what the browser tests need.
# Says nothing about what is there. SCRIP_TOOLCHAIN=debian takes Debian's Rust even where rustup's would do.
SETTING_UP=1
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

with_browser=
case "${1:-}" in
    --with-browser) with_browser=1 ;;
    '') ;;
    *) fail "setup.sh does not know '$1'" "call it with nothing or with --with-browser" ;;
esac

rust_minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

has() { command -v "$1" >/dev/null 2>&1; }

version_of() { "$1" --version 2>/dev/null | cut -d ' ' -f 2; }

at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# --- Debian's packages: the one thing that asks for root ---

# may_become_root WHAT TO-DO: asks for the password before the step begins; within it the question would go unseen.
may_become_root() {
    if [ "$(id -u)" != 0 ] && ! { has sudo && sudo -v -p "$1: your password for sudo, please: "; }; then
        fail "$1: installing it takes root" "$2"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

debian_lists_are_fresh=
apt_install() {
    # Old lists may offer a package that is gone, or a Rust that is too old.
    if [ -z "$debian_lists_are_fresh" ]; then
        as_root apt-get -q update || echo 'apt-get update failed; going on with the lists that are there'
        debian_lists_are_fresh=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -y -q --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 install "$@"
}

# debian WHAT PACKAGE...
debian() {
    local what=$1 todo
    shift
    todo="as root: apt-get update, then apt-get install --no-install-recommends $*"
    has apt-get || fail "$what: missing, and this machine has no apt-get" "install it with this machine's package manager (in Debian: $*)"
    may_become_root "$what" "$todo"
    quiet "$what: installing from Debian" "$todo" apt_install "$@"
}

# --- Rust that can compile for the browser ---

# Compiling and linking a line finds more than looking for a folder does: a standard library that another compiler's
# version left, or a linker that is missing.
rust_works() {
    local linker=${CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER:-}
    has cargo && at_least "$(version_of rustc)" "$rust_minimum" &&
        rustc --target wasm32-unknown-unknown --crate-type cdylib ${linker:+-C "linker=$linker"} -o "$logs/probe.wasm" - \
            >/dev/null 2>&1 <<<'pub fn probe() -> String { String::new() }'
}

chosen_rust_works() {
    # shellcheck source=/dev/null
    [ -s "$toolchain_choice" ] && (. "$toolchain_choice" && rust_works)
}

rustup_can_be_had() {
    has rustup && at_least "$(version_of rustc)" "$rust_minimum"
}

# The time limit is for machines where downloads hang instead of failing.
rustup_adds_target() {
    printf 'Rust for wasm32: rustup target add … '
    if timeout 180 rustup target add wasm32-unknown-unknown >"$logs/rustup-target.log" 2>&1 </dev/null && rust_works; then
        echo "done"
    else
        echo "it cannot; taking Debian's Rust instead"
        return 1
    fi
}

# Debian has Rust in a version that is new enough, but its standard library for wasm32 only as source.
build_wasm_std() {
    local work lib=/usr/lib/rustlib/wasm32-unknown-unknown/lib
    work=$(mktemp -d) && mkdir "$work/src" && touch "$work/src/lib.rs" &&
        printf '[package]\nname = "empty"\nedition = "2024"\n' >"$work/Cargo.toml" &&
        (cd "$work" && CARGO_TARGET_DIR=$work/target RUSTC_BOOTSTRAP=1 \
            RUSTFLAGS='-Cembed-bitcode=yes -Zforce-unstable-if-unmarked' \
            cargo build --release --target wasm32-unknown-unknown \
            -Z build-std=std,panic_abort,proc_macro -Z build-std-features=) &&
        rm "$work"/target/wasm32-unknown-unknown/release/deps/libempty-*.rlib &&
        as_root rm -rf "$lib" && as_root mkdir -p "$lib" &&
        as_root install -m 644 "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib "$lib" &&
        rm -rf "$work"
}

# rustup's linker where rustup is, Debian's otherwise.
wasm_linker() {
    local candidate
    for candidate in "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/*/bin/rust-lld; do
        if [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
    command -v wasm-ld-19 || true
}

debian_rust() {
    local packages=(rustc-web cargo-web rust-web-src rustfmt-web rust-web-clippy) linker
    if ! dpkg --verify "${packages[@]}" >/dev/null 2>&1 || ! at_least "$(version_of /usr/bin/rustc)" "$rust_minimum"; then
        debian "Rust" "${packages[@]}"
    fi
    if [ -z "$(wasm_linker)" ]; then
        debian "the linker for wasm32" lld-19
    fi
    linker=$(wasm_linker)
    {
        echo "# Written by scripts/setup.sh: Debian's Rust, because rustup's cannot compile for the browser here."
        echo "export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER='$linker'"
        if has rustup; then
            rustup toolchain link scrip-debian /usr >/dev/null 2>&1
            echo "export RUSTUP_TOOLCHAIN=scrip-debian"
        fi
    } >"$toolchain_choice"
    # shellcheck source=/dev/null
    . "$toolchain_choice"
    hash -r
    if ! rust_works; then
        may_become_root "Rust for wasm32" "install Rust $rust_minimum or newer with rustup, then: rustup target add wasm32-unknown-unknown"
        quiet "Rust for wasm32: building the standard library from Debian's sources (about ½ min)" \
            "look in the log; a Rust from rustup with the target wasm32-unknown-unknown does as well" build_wasm_std
    fi
    rust_works || fail "Debian's Rust cannot compile for wasm32, or is older than $rust_minimum" \
        "install Rust $rust_minimum or newer with rustup, then: rustup target add wasm32-unknown-unknown"
}

choose_rust() {
    mkdir -p "$(dirname "$toolchain_choice")"
    if [ "${SCRIP_TOOLCHAIN:-}" != debian ] && rust_works; then
        : >"$toolchain_choice"
    elif chosen_rust_works; then
        # shellcheck source=/dev/null
        . "$toolchain_choice"
    elif [ "${SCRIP_TOOLCHAIN:-}" != debian ] && rustup_can_be_had && rustup_adds_target; then
        : >"$toolchain_choice"
    else
        debian_rust
    fi
}

rust_checks() {
    local bin
    bin=$(rustc --print sysroot)/bin
    if [ ! -x "$bin/cargo-clippy" ] || [ ! -x "$bin/rustfmt" ]; then
        quiet "clippy and rustfmt: rustup component add" "rustup component add clippy rustfmt" \
            timeout 180 rustup component add clippy rustfmt
    fi
}

# --- Tools of our own ---

node_is() { has node && has npm && at_least "$(node --version | tr -d v)" "$1"; }

node_tools() {
    # What only builds the pages runs with Debian's Node.js 18; Playwright does not.
    local minimum=18 stamp=node_modules/.scrip-lock
    if [ -n "$with_browser" ]; then
        minimum=20
    fi
    if ! has node || ! has npm; then
        debian "Node.js" nodejs npm
    fi
    node_is "$minimum" || fail "Node.js $minimum or newer is needed, this is $(node --version)" "install Node.js 20 or newer with npm"
    if ! cmp -s package-lock.json "$stamp"; then
        quiet "binaryen, esbuild, Playwright, axe: npm ci" "see that npm reaches its registry, then run this again" npm ci
        cp package-lock.json "$stamp"
    fi
}

browser() {
    if [ -z "${CHROMIUM_PATH:-}" ] && { ! has chromium || [ -z "$(fc-list 2>/dev/null)" ]; }; then
        debian "Chromium with a font" chromium fonts-liberation
    fi
}

install_python_tools() {
    rm -rf "$python_home" && python3 -m venv "$python_home" &&
        "$python_home/bin/pip" install --quiet --disable-pip-version-check -r end2end/requirements.txt
}

schemathesis() {
    if [ ! -x "$schemathesis" ]; then
        if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
            debian "Python with venv" python3 python3-venv
        fi
        quiet "schemathesis and DuckDB: pip install (about ½ min, once per user)" "see that pip reaches its registry, then run this again" \
            install_python_tools
    fi
}

# Its lock file names a release that cannot be had everywhere, so not --locked. Its own release profile takes minutes longer
# and saves a second in each build.
install_wasm_bindgen() {
    CARGO_TARGET_DIR=$tools/build-wasm-bindgen cargo install wasm-bindgen-cli --version "=$wasm_bindgen_version" \
        --bin wasm-bindgen --root "$wasm_bindgen_home" \
        --config profile.release.lto=false --config profile.release.codegen-units=16 --config profile.release.opt-level=1 &&
        rm -rf "$tools/build-wasm-bindgen"
}

wasm_bindgen() {
    if [ ! -x "$wasm_bindgen_home/bin/wasm-bindgen" ]; then
        quiet "wasm-bindgen $wasm_bindgen_version: cargo install (about 2 min, once per user)" \
            "see that cargo reaches crates.io, then run this again" install_wasm_bindgen
    fi
}

if ! has cc; then
    debian "a C compiler" gcc libc6-dev
fi
choose_rust
rust_checks
node_tools
if [ -n "$with_browser" ]; then
    # The examples of docs/help are run as they stand.
    has curl || debian "curl" curl
    # Invoices are read as PDF.
    has pdftotext || debian "pdftotext" poppler-utils
    browser
    schemathesis
fi
wasm_bindgen
