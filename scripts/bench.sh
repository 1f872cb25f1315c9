#!/usr/bin/env bash
# Each budget of ARCHITECTURE.md as a ratio beside its target, in one run. Needs the release build and a quiet machine.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

echo "Building the bench …"
cargo build --quiet --release --locked -p scrip-bench
target/release/scrip-bench target/release/scrip

bytes=0
for file in target/site/pkg/*.br; do
    bytes=$((bytes + $(stat -c %s "$file")))
done
printf '%-44s %9s %9s  %s\n' "first load, brotli: wasm + js + css, KB" $(((bytes + 999) / 1000)) "≤ 350" "$bytes bytes; aim 200 KB"

if command -v chromium >/dev/null && [ -d node_modules/@playwright/test ]; then
    node end2end/redraw.mjs target/release/scrip
    node end2end/vitals.mjs target/release/scrip
else
    echo "filter to redraw, layout shift, paint: not measured, they need Chromium (make e2e installs it)"
fi
