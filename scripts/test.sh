#!/usr/bin/env bash
# Everything that must hold before a change lands: CI runs this and nothing else.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

visible "set-up" scripts/setup.sh --with-browser
if [ -z "$ok" ]; then
    # Without tools everything below would fail for the same reason.
    exit 1
fi
# Set-up may just have chosen a toolchain.
# shellcheck source=scripts/env.sh
. scripts/env.sh

lint

tested=(--locked --workspace --exclude scrip-frontend --no-fail-fast)
if command -v cargo-nextest >/dev/null; then
    step "unit, property and integration tests" cargo nextest run "${tested[@]}" \
        --hide-progress-bar --status-level fail --final-status-level fail --failure-output final
    # nextest leaves these out.
    check "examples in the documentation" cargo test --doc "${tested[@]}"
else
    step "unit, property and integration tests" cargo test "${tested[@]}"
fi

visible "release build" scripts/build.sh
if [ -n "$ok" ]; then
    check "first load within its budget" scripts/first_load.sh
    check "the API by its description" scripts/schemathesis.sh
    check "views of a snapshot, read by DuckDB" scripts/views.sh
    step "browser tests" scripts/e2e.sh
else
    echo "browser tests … not run, and so failed: they need the release build"
    record 0 2
fi

all_steps_ran=1
