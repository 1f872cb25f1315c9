#!/usr/bin/env bash
# The browser tests against target/release/scrip, in Debian's Chromium or the one that CHROMIUM_PATH names.
# Arguments go to Playwright.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

[ -x target/release/scrip ] || fail "target/release/scrip: missing" "make build"
CHROMIUM_PATH=${CHROMIUM_PATH:-$(command -v chromium)} || fail "Chromium: missing" "scripts/setup.sh --with-browser"
export CHROMIUM_PATH
export E2E_PYTHON=$python_home/bin/python

exec npx --no-install playwright test -c end2end/playwright.config.ts --reporter=list "$@"
