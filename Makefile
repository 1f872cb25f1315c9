# The two commands are `make run` and `make test`; both install what is missing. The work is in scripts/.
DATA ?= data
LISTEN ?= 127.0.0.1:3000
export DATA LISTEN

.DEFAULT_GOAL := help
.PHONY: help run build test soak bench e2e watch lint audit clean

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: ## set up, build the release, serve http://127.0.0.1:3000 with a sample (LISTEN=addr:port DATA=folder)
	@scripts/run.sh

build: ## set up, build target/release/scrip with its pages inside
	@scripts/setup.sh && scripts/build.sh

test: ## everything that must hold: formatting, clippy, tests, release build, browser tests
	@scripts/test.sh

soak: ## random histories, kills and tamperings, as many as you wish (HISTORIES=20000 CYCLES=500)
	@scripts/soak.sh

bench: ## each measurable budget of the design as a ratio beside its target
	@scripts/setup.sh && scripts/build.sh && scripts/bench.sh

e2e: ## the browser tests alone, in Chromium against the release build
	@scripts/setup.sh --with-browser && scripts/build.sh && scripts/e2e.sh

watch: ## build for development, serve, and again after every change
	@scripts/watch.sh

lint: ## formatting and clippy, native and wasm32
	@scripts/lint.sh

audit: ## licences, banned crates and sources by cargo-deny (builds it the first time: long)
	@scripts/audit.sh

clean: ## remove what was built here; not data/, not the tools in your cache folder
	@rm -rf target node_modules .tools
