# make demo: sets up and shows the whole loop on real data.   make test: sets up and runs every check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
export UV_SYSTEM_CERTS ?= 1
export UV_NATIVE_TLS ?= 1

.PHONY: help setup setup-dev demo test lint types bench torture clean
help:
	@echo "make demo          the whole lifecycle on real data, then leaves it running (ONCE=1: ends, exit 0 if all came true)"
	@echo "make test          lint, types and tests"
	@echo "make bench         the benchmarks of tests/bench, as JSON"
	@echo "make torture       kills at random instants, on both databases and with two replicas (half an hour)"
	@echo "make clean         removes what these made"

# uv installs in seconds; where it cannot be had, or cannot reach what pip is set up to use, pip does the same slowly.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lifecycle-bot needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e . 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(VENV)/.run
setup-dev: $(VENV)/.dev

demo: setup
	@$(BIN)/python -m bot demo $(if $(ONCE),--once)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

test: lint types
	$(BIN)/python -m pytest -n 4 --dist loadgroup

bench: setup-dev
	@for file in tests/bench/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

TORTURE ?= --commands 500 --kills 50 --seed 1
torture: setup-dev
	@held=0; for bad in "sqlite" "postgresql" "postgresql --replicas 2"; do echo "== $$bad"; \
	$(BIN)/python -m tests.torture --database $$bad $(TORTURE) || held=1; done; exit $$held

clean:
	rm -rf $(VENV) demo-state demo.json build *.egg-info
