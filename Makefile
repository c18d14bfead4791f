# Everything from a clean clone; `make` alone lists what there is.
# Each target sets up what it needs first (tools/setup, tools/setup_web): packages of the system, a
# venv, kubectl, Node.js.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# kubectl and the venv come first, so that every command line in the demo and tests is plain.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.cache/bin:$(PATH)

# What is made in the checkout is its owner's, behind sudo too.
AS_OWNER := tools/as_owner

# The dashboard's page, built into the Python package.
PAGE := src/pilotfish/dashboard/static/index.html
PAGE_SOURCES := $(shell find web -name node_modules -prune -o -type f -print)
NODE_MODULES := web/node_modules/.package-lock.json

# Targets need what stands before them in a line.
.NOTPARALLEL:

.PHONY: help demo install uninstall tutorial pictures test fuzz check bench web wheel clean needs-root

help:
	@echo "make demo      tell the story on a 2-node cluster (KEEP=1 leaves the cluster up)"
	@echo "make install   install pilotfish and kubectl for all users; make uninstall removes them"
	@echo "make tutorial  the same, written to docs/tutorial.md"
	@echo "make pictures  the dashboard as it looks, to docs/pictures"
	@echo "make test      unit, integration and end-to-end tests (as root)"
	@echo "make fuzz      send the API server a quarter of a million wrong requests (SEED=, REQUESTS=, REPLAY=file)"
	@echo "make check     format, lint, types, layers"
	@echo "make bench     measure, and write docs/benchmarks.md (ONLY=\"NAME …\": these alone)"
	@echo "make web       build the dashboard's page into the package"
	@echo "make wheel     build dist/*.whl, which installs without Node.js"
	@echo "make clean     remove what make made"

# First of all: nobody shall wait for what then cannot run.
needs-root:
	@[ "$$(id -u)" = 0 ] || { \
	    echo "error: root is needed; make $(MAKECMDGOALS); run: sudo make $(strip $(MAKECMDGOALS) $(MAKEOVERRIDES))" >&2; exit 3; }

demo: needs-root $(VENV)/.ready-run $(PAGE)
	@python -B tools/demo.py $(if $(KEEP),--keep)

install: needs-root
	@tools/install

uninstall: needs-root
	@tools/install remove

# docs/tutorial.md is the transcript of the demo.
tutorial: needs-root $(VENV)/.ready-run $(PAGE)
	@python tools/demo.py --write-tutorial

# A test says when the page has changed since.
pictures: needs-root $(VENV)/.ready-dev $(PAGE)
	@PYTHONPATH=tests python tools/pictures.py

test: needs-root $(VENV)/.ready-dev $(PAGE)
	@python -m pytest

fuzz: $(VENV)/.ready-dev
	@PYTHONPATH=tests python -m fuzz $(if $(SEED),--seed $(SEED)) \
		$(if $(REQUESTS),--requests $(REQUESTS)) $(if $(REPLAY),--replay $(REPLAY))

check: $(VENV)/.ready-dev $(NODE_MODULES)
	ruff format --check
	ruff check
	mypy
	lint-imports
	npm --prefix web run --silent check
	npm --prefix web test --silent

bench: needs-root $(VENV)/.ready-dev $(PAGE)
	@PYTHONPATH=tests python -m benchmarks $(ONLY)

$(VENV)/.ready-%: pyproject.toml constraints.txt tools/setup tools/machine.sh
	@tools/setup $*
	@$(AS_OWNER) touch $@

$(NODE_MODULES): web/package-lock.json tools/setup_web
	@$(AS_OWNER) tools/setup_web

$(PAGE): $(PAGE_SOURCES) $(NODE_MODULES)
	@echo "setup: building the dashboard's page"
	@$(AS_OWNER) npm --prefix web run --silent build -- --logLevel warn

web: $(VENV)/.ready-run $(PAGE)

wheel: $(VENV)/.ready-run $(PAGE)
	@pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf web/node_modules src/pilotfish/dashboard/static
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
