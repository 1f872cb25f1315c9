#!/usr/bin/env bash
# Formatting and clippy, native and wasm32, with warnings denied.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

visible "set-up" scripts/setup.sh
# Set-up may just have chosen a toolchain.
# shellcheck source=scripts/env.sh
. scripts/env.sh
if [ -n "$ok" ]; then
    lint
    all_steps_ran=1
fi
