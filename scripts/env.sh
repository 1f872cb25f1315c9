# shellcheck shell=bash
# Where things are and how a step is reported. Every script sources this first; nobody runs it.
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# The scripts and the tests name files under target/; a target folder set elsewhere would hide them.
export CARGO_TARGET_DIR="$root/target"

# Built tools live with the user, not in the checkout: a second clone does not build them again.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/scrip

# The crate and the tool must be the same version, or the generated glue does not fit: one source for both.
wasm_bindgen_version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' Cargo.lock)
wasm_bindgen_home=$tools/wasm-bindgen-$wasm_bindgen_version

# A Python of its own for what the tests take from PyPI; another list of it is another folder.
python_home=$tools/python-$(cksum <end2end/requirements.txt | cut -d ' ' -f 1)
schemathesis=$python_home/bin/schemathesis

plain_path=$root/node_modules/.bin:$wasm_bindgen_home/bin
if [ -d "$HOME/.cargo/bin" ]; then
    plain_path=$plain_path:$HOME/.cargo/bin
fi
export PATH="$plain_path:$PATH"

# What setup.sh chose where the machine's own Rust cannot compile for the browser; empty otherwise.
toolchain_choice=$root/.tools/env
if [ -s "$toolchain_choice" ] && [ -z "${SETTING_UP:-}" ]; then
    # shellcheck source=/dev/null
    . "$toolchain_choice"
fi

logs=$root/target/setup-logs
# The compiler wants the folder of embedded pages to exist; git keeps no empty folder.
mkdir -p "$logs" "$root/target/site" "$root/public"

# fail WHAT TO-DO: ends the script with the two lines that a person needs.
fail() {
    trap - ERR
    printf '%s\n  what to do: %s\n' "$1" "$2" >&2
    exit 1
}

# quiet LABEL TO-DO CMD...: one line for a step and its seconds. The output goes to a log; its end is shown when CMD fails.
# CMD runs as a condition, where bash ignores `set -e`: functions given here chain their commands with &&.
quiet() {
    local label=$1 todo=$2 started=$SECONDS log
    shift 2
    log=$logs/$(tr -cs '[:alnum:]\n' '-' <<<"$label" | cut -c1-60).log
    printf '%s … ' "$label"
    if "$@" >"$log" 2>&1 </dev/null; then
        printf '%d s\n' $((SECONDS - started))
    else
        printf 'failed after %d s\n' $((SECONDS - started))
        tail -n 30 "$log" >&2
        fail "$label: failed. All of its output: ${log#"$root"/}" "$todo"
    fi
}

trap 'fail "${BASH_SOURCE[0]##*/}, line $LINENO: this failed: $BASH_COMMAND" "run it again; if it fails again, the lines above say why"' ERR
