# Every target does its own set-up: a machine needs Python 3.11 or newer and make, nothing else.
#   make test PYTHON=python3.13      another Python (the environment is made anew when the version changes)
#   make test ARGS="tests/test_scope.py -k shared"      some tests only, without the coverage bar

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready-$(subst /,-,$(PYTHON))

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types imports wheel docs notebooks mutants bench lock format clean

help: ## what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the environment in .venv, from the lock (the other targets do this themselves)

$(READY): pyproject.toml requirements/dev.txt requirements/uv.txt scripts/bootstrap.py
	@$(PYTHON) scripts/bootstrap.py $(VENV)
	@rm -f $(VENV)/.ready-* && touch $@

demo: $(READY) ## an agent that remembers, in another thread and another process, offline
	@$(BIN)/memgraph demo $(ARGS)

test: $(READY) ## every test, with branch coverage of at least 95 %
ifeq ($(strip $(ARGS)),)
	$(PY) -m pytest -n 2 --dist loadfile --cov --cov-report=term
else
	$(PY) -m pytest $(ARGS)
endif

check: lint types imports wheel docs ## style, types, import rule, what is in the wheel, every block in the docs

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(PY)

imports: $(READY)
	$(BIN)/lint-imports --no-cache

wheel: $(READY)
	$(PY) scripts/check_wheel.py

docs: $(READY)
	$(PY) -m pytest -q tests/test_docs.py

notebooks: $(READY) ## run the notebooks and write their outputs anew
	$(PY) scripts/run_notebooks.py $(ARGS)

mutants: $(READY) ## break the code in known ways, each of which a test must notice
	$(PY) scripts/mutants.py $(ARGS)

bench: $(READY) ## speed beside its floor and beside a peer, in one run
	@for script in benchmarks/[!_]*.py; do echo "== $$script"; $(PY) $$script $(ARGS) || exit 1; done

lock: $(READY) ## the locks anew (UPGRADE=1: newest versions of everything)
	$(PY) scripts/lock.py $(if $(UPGRADE),--upgrade)

format: $(READY) ## let ruff rewrite the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and everything that was made
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
