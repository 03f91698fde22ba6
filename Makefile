# Everything a newcomer needs: `make up` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
PY ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup dev up down reset test lint bench

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.runtime ui/dist/.vite/manifest.json ## environment and front end only, into .venv and ui/dist

dev: setup .venv/.dev ## the above with test tools and a browser
	@bash .ci/browser

up: setup ## install, start everything, load the demo province, print the address (PORT=8000)
	@YIWANG_DEMO=$${YIWANG_DEMO-1} $(BIN)/yiwang up

down: ## stop what `make up` started in another terminal
	@[ ! -x $(BIN)/yiwang ] || $(BIN)/yiwang down

reset: down ## throw away ./var (data, keys, demo world)
	rm -rf var

# Two processes, each with an installation of its own; whole files to each, the pure ones first.
test: dev ## all tests: real PostgreSQL, real Chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: dev ## ruff, import contracts, strict typing of the pure parts
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy

bench: dev ## every benchmark; one JSON line each
	@for b in benchmarks/bench_*.py; do n=$${b#benchmarks/bench_}; $(BIN)/yiwang bench $${n%.py} --json || exit 1; done

# The environment comes from hashed locks; the package itself is linked, not copied.
.venv/bin/python:
	$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "yiwang needs Python 3.11 or newer; this is " + sys.version)'
	$(PY) -m venv .venv

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Spark is large and needs Java: it comes only where its test can run.
.venv/.dev: requirements-dev.lock requirements-spark.lock .venv/.runtime
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@! command -v java >/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-spark.lock
	@touch $@

ui/dist/.vite/manifest.json: ui/package-lock.json ui/vite.config.js $(shell find ui/src -type f 2>/dev/null) | .venv/bin/python
	@bash ui/build.sh
