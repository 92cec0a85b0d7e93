# What there is to do here; `make help` tells it in short. Each target installs what it lacks first (scripts/setup).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build simulate ui demo test test-crash test-clients test-browser test-threads test-integrations lint format crash crash-trials bench bench-tracking bench-execution bench-search clean setup-build setup-test

UI_SOURCES := $(shell find ui/src ui/styles ui/index.html ui/favicon.svg ui/tsconfig.json -type f 2>/dev/null) \
  scripts/ui-build scripts/ui-pack.py

help:
	@echo "make build         the release build: .build/release/martlet"
	@echo "make demo          a sweep on real data with the dashboard live; WAIT=0 ends by itself"
	@echo "make test          the Swift, supervisor's and dashboard's unit tests; what follows are the slower ones"
	@echo "make test-crash    kill -9 of servers, senders and trainers, against a debug build"
	@echo "make test-clients  the Python client against real servers"
	@echo "make test-browser  the dashboard in a real browser"
	@echo "make test-threads  the store, its codecs, tracking and the live feed under the thread sanitizer (a build of its own)"
	@echo "make test-integrations  the Python client's callbacks with the real libraries; INTEGRATIONS=all: with PyTorch's too"
	@echo "make lint          formats, warnings, types: changes nothing"
	@echo "make format        puts Swift and Python into their format"
	@echo "make ui            the dashboard alone, when its sources changed"
	@echo "make crash         kill -9 of server, sender and trainer at random moments; ROUNDS=300, SEED=N repeats"
	@echo "make crash-trials  sweeps of trials that do whatever goes wrong, under kill -9 of servers; ROUNDS=3, SEED=N repeats"
	@echo "make simulate      the scheduler under random work, failures and crashes; SEEDS=1000, FROM=n, MUTANT=name has to fail"
	@echo "make bench         overhead per trial beside GNU parallel, log(), start, memory and size"
	@echo "make bench-execution  speed-up, overhead per trial beside other schedulers, flatness; REPS, TRIALS, PEERS, ONLY"
	@echo "make bench-search     methods of search beside other libraries; ONLY, SEEDS, TRIALS, PEERS, YAHPO, LIMIT: in pieces"
	@echo "make bench-tracking   the store beside other trackers, in one run; REPS, SECS, PEERS, ONLY, AGED=1"
	@echo "make clean         removes what was built, and the demo's data"

setup-build:
	@scripts/setup build

setup-test:
	@scripts/setup build test

ui: ui/dist/ui.pack

ui/dist/ui.pack: $(UI_SOURCES) | setup-build
	scripts/ui-build

build: setup-build ui/dist/ui.pack
	swift build -c release --product martlet
	scripts/supervisor-build .build/release/martlet-supervisor

demo: build
	@scripts/setup demo
	@scripts/demo

test: setup-test ui/dist/ui.pack
	scripts/test swift

test-crash: setup-test ui/dist/ui.pack
	scripts/test crashes

test-clients: setup-test ui/dist/ui.pack
	scripts/test clients

test-browser: setup-test build
	scripts/setup demo
	MARTLET_BIN=$(CURDIR)/.build/release/martlet scripts/ui-test e2e

test-threads: setup-test
	scripts/test-threads

test-integrations:
	@scripts/setup integrations
	cd clients/python/tests && ../../../.venv-integrations/bin/python -B -m unittest test_integrations test_watch

lint: setup-test
	scripts/lint

format: setup-test
	swift format --in-place --parallel --recursive Sources Tests Benchmarks Package.swift
	.venv-tools/bin/ruff check --fix --quiet .
	.venv-tools/bin/ruff format --quiet .

# A debug build, or another one, takes MARTLET_BIN.
crash: ROUNDS ?= 300
crash: build
	MARTLET_BIN=$${MARTLET_BIN:-$(CURDIR)/.build/release/martlet} \
	  python3 -B Tests/Crash/crash_tracking.py --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

crash-trials: ROUNDS ?= 3
crash-trials: build
	MARTLET_BIN=$${MARTLET_BIN:-$(CURDIR)/.build/release/martlet} \
	  python3 -B Tests/Crash/crash_trials.py --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

simulate: SEEDS ?= 1000
simulate: setup-build
	swift build -c release --product martlet-simulate
	.build/release/martlet-simulate --seeds $(SEEDS) $(if $(FROM),--from $(FROM)) $(if $(MUTANT),--mutant $(MUTANT))

bench: build
	@scripts/setup bench
	scripts/bench

bench-execution: build
	@scripts/setup bench-execution
	@scripts/bench-execution

bench-search: build
	@scripts/setup bench-search
	@scripts/bench-search

bench-tracking: build
	@scripts/setup bench-tracking
	@scripts/bench-tracking

clean:
	@if [ -e .martlet-demo ] && [ -x .build/release/martlet ]; then \
	  MARTLET_DATA=$(CURDIR)/.martlet-demo .build/release/martlet down >/dev/null 2>&1 || true; fi
	rm -rf .build ui/dist out .martlet-demo .venv-demo .venv-tools .venv-ui .venv-integrations .venv-bench-* clients/python/build clients/python/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
