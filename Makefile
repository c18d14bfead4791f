# Everything from a clean clone: `make demo`, `make test`, `make check`, `make bench`, `make clean`.
# Each target sets up what it needs first (tools/setup): packages of the system, a venv, kubectl.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# kubectl and the venv come first, so that every command line in the demo and tests is plain.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.cache/bin:$(PATH)

.PHONY: help demo tutorial test check bench clean

help:
	@echo "make demo      tell the story on a 2-node cluster (KEEP=1 leaves the cluster up)"
	@echo "make tutorial  the same, written to docs/tutorial.md"
	@echo "make test      unit, integration and end-to-end tests (as root)"
	@echo "make check     format, lint, types, layers"
	@echo "make bench     measure, and write docs/benchmarks.md"
	@echo "make clean     remove what make made"

demo: $(VENV)/.ready-run
	@python tools/demo.py $(if $(KEEP),--keep)

# docs/tutorial.md is the transcript of the demo.
tutorial: $(VENV)/.ready-run
	@python tools/demo.py --write-tutorial

test: $(VENV)/.ready-dev
	@python -m pytest

check: $(VENV)/.ready-dev
	ruff format --check
	ruff check
	mypy
	lint-imports

bench: $(VENV)/.ready-dev
	@python -m benchmarks

$(VENV)/.ready-%: pyproject.toml constraints.txt tools/setup
	@tools/setup $*
	@touch $@

clean:
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
