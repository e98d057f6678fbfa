# What a person does with this checkout. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
export DO_NOT_TRACK = 1
export MLFLOW_DISABLE_TELEMETRY = true
export GX_ANALYTICS_ENABLED = false

.PHONY: help setup servers demo test test-all scenarios golden lint fmt check bench campaign docs lock clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## install everything into .venv and environment/jars (a second time: nothing to do)
	@$(PYTHON) environment/prepare.py

servers: setup ## install the servers that tests of sources start (where npm and Go are there)
	@$(BIN)/python environment/servers.py

demo: setup ## set up, then run the main job on real flights data
	@$(BIN)/python conf/flights/landing.py
	@$(BIN)/lakeloom run --conf flights

test: setup servers ## the tests without the long ones
	$(PYTEST) -m 'not long'

test-all: setup servers ## all tests, also the long ones
	$(PYTEST)

scenarios: setup ## the whole stories with golden results
	$(PYTEST) tests/scenarios

golden: setup ## write the golden results anew; read the difference before you commit it
	LAKELOOM_GOLDEN=write $(PYTEST) tests/scenarios
	git --no-pager diff --stat -- tests/scenarios

lint: setup ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: setup ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test ## what CI runs

bench: setup ## benchmarks; NAME=x runs one, without it all, into docs/results.md
	@$(BIN)/python -m benchmarks $(NAME)

campaign: setup servers ## FAULTS (20) by KIND (kills, sources; both): count what was lost or doubled; ROOT=s3 (azure, google): in a bucket
	@PYTHONPATH=environment $(BIN)/python -m benchmarks.campaign $(KIND) --faults $(or $(FAULTS),20) $(if $(ROOT),--root $(ROOT))

docs: setup ## make the pages that are generated from the code (error codes, JSON Schema)
	@$(BIN)/python docs/generate.py

lock: setup ## resolve requirements.in again, into locks with hashes and without host names
	$(PYTHON) environment/relock.py

clean: ## remove what runs and tools left; keeps .venv, jars and the landing folder
	rm -rf .lakeloom mlruns mlflow.db derby.log metastore_db spark-warehouse build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## also remove .venv, jars and the landing folder
	rm -rf .venv landing lib/lakeloom.egg-info
	find environment/jars -type f -delete
