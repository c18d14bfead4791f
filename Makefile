# Everything from a clean clone; `make` alone lists what there is.
# Each target sets up what it needs first (tools/setup, tools/setup_web): packages of the system, a
# venv, kubectl, Node.js.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# kubectl and the venv come first, so that every command line in the demo and tests is plain.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.cache/bin:$(PATH)

# The dashboard's page, built into the Python package.
PAGE := src/pilotfish/dashboard/static/index.html
PAGE_SOURCES := $(shell find web -name node_modules -prune -o -type f -print)
NODE_MODULES := web/node_modules/.package-lock.json

# Targets need what stands before them in a line.
.NOTPARALLEL:

.PHONY: help demo tutorial pictures test check bench web wheel clean

help:
	@echo "make demo      tell the story on a 2-node cluster (KEEP=1 leaves the cluster up)"
	@echo "make tutorial  the same, written to docs/tutorial.md"
	@echo "make pictures  the dashboard as it looks, to docs/pictures"
	@echo "make test      unit, integration and end-to-end tests (as root)"
	@echo "make check     format, lint, types, layers"
	@echo "make bench     measure, and write docs/benchmarks.md (ONLY=\"NAME …\": these alone)"
	@echo "make web       build the dashboard's page into the package"
	@echo "make wheel     build dist/*.whl, which installs without Node.js"
	@echo "make clean     remove what make made"

demo: $(VENV)/.ready-run $(PAGE)
	@python tools/demo.py $(if $(KEEP),--keep)

# docs/tutorial.md is the transcript of the demo.
tutorial: $(VENV)/.ready-run $(PAGE)
	@python tools/demo.py --write-tutorial

# A test says when the page has changed since.
pictures: $(VENV)/.ready-dev $(PAGE)
	@PYTHONPATH=tests python tools/pictures.py

test: $(VENV)/.ready-dev $(PAGE)
	@python -m pytest

check: $(VENV)/.ready-dev $(NODE_MODULES)
	ruff format --check
	ruff check
	mypy
	lint-imports
	npm --prefix web run --silent check
	npm --prefix web test --silent

bench: $(VENV)/.ready-dev $(PAGE)
	@PYTHONPATH=tests python -m benchmarks $(ONLY)

$(VENV)/.ready-%: pyproject.toml constraints.txt tools/setup
	@tools/setup $*
	@touch $@

$(NODE_MODULES): web/package-lock.json tools/setup_web
	@tools/setup_web

$(PAGE): $(PAGE_SOURCES) $(NODE_MODULES)
	@echo "setup: building the dashboard's page"
	@npm --prefix web run --silent build -- --logLevel warn

web: $(VENV)/.ready-run $(PAGE)

wheel: $(VENV)/.ready-run $(PAGE)
	@pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf web/node_modules src/pilotfish/dashboard/static
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
