# PYTHON: the interpreter (3.11 to 3.13) that makes the environment; VENV: where it is made.
# PYTEST_ARGS: passed on to pytest, for example make test PYTEST_ARGS="-k risk".

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
INPUTS := pyproject.toml setup.py constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo dev test lint format types imports check clean

help:
	@echo "make demo     install what is pinned, simulate real history, write the report"
	@echo "make test     install the test extra, run the whole default test suite"
	@echo "make check    lint, types, imports and test"
	@echo "make lint | format | types | imports | dev | clean"

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else "Python %d.%d does not fit: vnpy_aiagent needs 3.11 to 3.13, name one as in make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo-installed: $(VENV)/.created $(INPUTS)
	$(INSTALL) -e ".[demo]"
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.created $(INPUTS)
	$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.demo-installed

demo: $(VENV)/.demo-installed
	$(BIN)/aiagent demo

dev: $(VENV)/.dev-installed

test: dev
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: dev
	$(BIN)/mypy

imports: dev
	$(BIN)/lint-imports

check: lint types imports test

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
