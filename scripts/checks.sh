# shellcheck shell=bash
# How test.sh and lint.sh run and count their steps. Sourced after env.sh, never run.
#   step NAME CMD...      a test runner: its own closing line is counted, and a run without one has failed
#   check NAME CMD...     anything else: counts as one
#   visible NAME CMD...   a check that reports its own steps, so that its output is shown
# All go on after a failure and say in $ok how it went. The script's last line is `N passed, N failed`, whatever happens.

# shellcheck disable=SC2154 # root comes from env.sh
passed=0
failed=0
ok=
all_steps_ran=
test_logs=$root/target/test-logs
mkdir -p "$test_logs"

export CARGO_TERM_COLOR=never NO_COLOR=1
unset FORCE_COLOR
if [ -n "${CI:-}" ]; then
    # Nobody builds twice there: incremental files would only cost time and disk.
    export CARGO_INCREMENTAL=0
fi

close() {
    if [ -z "$all_steps_ran" ]; then
        failed=$((failed + 1))
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] || exit 1
}
trap close EXIT

# Prints "passed failed" from a runner's log: nextest, cargo test, Playwright, node --test, or the plain closing line.
tally() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        function count(what) { return match($0, "[0-9]+ " what) ? substr($0, RSTART) + 0 : 0 }
        # nextest repeats the output of failed tests, with the closing line of cargo test in it: its own line wins.
        /^ *Summary \[/ { nextest = 1; np += count("passed"); nf += count("failed") + count("exec failed") + count("timed out") }
        /^test result: / { seen = 1; p += count("passed"); f += count("failed") }
        /^ +[0-9]+ (passed|flaky)( |$)/ { seen = 1; p += $1 }
        /^ +[0-9]+ (failed|interrupted|did not run)( |$)/ { seen = 1; f += $1 }
        /^(#|ℹ) pass [0-9]+$/ { seen = 1; p += $3 }
        /^(#|ℹ) (fail|cancelled) [0-9]+$/ { seen = 1; f += $3 }
        /^([[:alnum:]_-]+: )?[0-9]+ passed, [0-9]+ failed/ { seen = 1; p += count("passed"); f += count("failed") }
        END { if (nextest) print np, nf; else if (seen) print p + 0, f + 0 }'
}

# record PASSED FAILED
record() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    ok=
    if [ "$2" = 0 ]; then
        ok=1
    fi
}

# A failure shows itself here, for those who cannot open the log: CI's readers.
show_failure() {
    sed 's/\x1b[[(][0-9;]*[mB]//g' "$1" | tail -n 120 | sed 's/^/    /'
    printf '    (exit code %d; all of its output: %s)\n' "$2" "${1#"$root"/}"
}

step() {
    local name=$1 started=$SECONDS code=0 p f log
    shift
    log=$test_logs/$(tr -cs '[:alnum:]\n' '-' <<<"$name").log
    printf '%s … ' "$name"
    "$@" >"$log" 2>&1 </dev/null || code=$?
    read -r p f <<<"$(tally "$log")" || true
    p=${p:-0} f=${f:-0}
    # A runner that broke off, or that found nothing to run, has failed whatever it counted.
    if [ "$f" = 0 ] && { [ "$code" != 0 ] || [ "$p" = 0 ]; }; then
        f=1
    fi
    record "$p" "$f"
    printf '%d passed, %d failed, %d s\n' "$p" "$f" $((SECONDS - started))
    if [ -z "$ok" ]; then
        show_failure "$log" "$code"
    fi
}

check() {
    local name=$1 started=$SECONDS code=0 log
    shift
    log=$test_logs/$(tr -cs '[:alnum:]\n' '-' <<<"$name").log
    printf '%s … ' "$name"
    "$@" >"$log" 2>&1 </dev/null || code=$?
    record $((code == 0)) $((code != 0))
    if [ -n "$ok" ]; then
        printf 'ok, %d s\n' $((SECONDS - started))
    else
        printf 'failed after %d s\n' $((SECONDS - started))
        show_failure "$log" "$code"
    fi
}

visible() {
    local name=$1 started=$SECONDS code=0
    shift
    "$@" </dev/null || code=$?
    record $((code == 0)) $((code != 0))
    printf '%s: %s, %d s\n' "$name" "$([ -n "$ok" ] && echo ok || echo failed)" $((SECONDS - started))
}

# Both halves separately: the browser's half is other code to the compiler, under other features.
lint() {
    check "formatting" cargo fmt --all --check -- --color never
    check "clippy, native" cargo clippy --locked --workspace --exclude scrip-frontend --all-targets -- -D warnings
    check "clippy, wasm32" cargo clippy --locked -p scrip-frontend -p scrip-app --features scrip-app/hydrate \
        --target wasm32-unknown-unknown --lib -- -D warnings
}
