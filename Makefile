# The list of commands; bare `make` prints it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BARE := .venv-bare
PIP_QUIET := --quiet --disable-pip-version-check --no-warn-script-location
SETUP := $(VENV)/.set-up
BARE_SETUP := $(BARE)/.set-up

.PHONY: help
help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(SETUP) ## make .venv with everything the other commands need

$(SETUP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install $(PIP_QUIET) --upgrade 'pip>=25.1'
	$(VENV)/bin/python -m pip install $(PIP_QUIET) --editable '.[sandbox]' --group dev
	@touch $@

$(BARE_SETUP): pyproject.toml
	$(PYTHON) -m venv $(BARE)
	$(BARE)/bin/python -m pip install $(PIP_QUIET) 'pytest>=9.2,<10' 'pytest-cov>=7,<8' 'pytest-xdist>=3.8,<4' 'boto3>=1.44,<2'
	@touch $@

.PHONY: demo
demo: $(SETUP) ## take a better model out step by step and a bad one back, in the embedded sandbox
	@$(VENV)/bin/sluice demo

.PHONY: test
test: $(SETUP) test-bare ## all tests, with full branch coverage of the core
	$(VENV)/bin/python -m pytest -n auto --dist loadfile --ignore=tests/core --ignore=tests/tick --ignore=tests/bare -q

.PHONY: test-bare
test-bare: $(BARE_SETUP) $(SETUP) ## the core without any dependency and fully covered, and the Lambda zip where only boto3 is
	$(VENV)/bin/python tests/bare/pack.py build/lambdas.zip
	env -u PYTHONPATH PYTHONNOUSERSITE=1 $(BARE)/bin/python -m pytest -q --import-mode=importlib -p no:cacheprovider -o pythonpath=. \
	  -n auto --cov --cov-report=term-missing:skip-covered tests/core tests/tick tests/bare

.PHONY: test-faults
test-faults: $(SETUP) ## every story of the fault book, not only the first of each chapter
	SLUICE_FAULTS=all $(VENV)/bin/python -m pytest tests/acceptance/test_faults.py

.PHONY: test-engine
test-engine: $(SETUP) ## the program under the real Pulumi engine, where a CLI is, and the same on the sandbox's
	$(VENV)/bin/python -m pytest tests/engine

.PHONY: pulumi
pulumi: $(SETUP) ## the pinned Pulumi CLI in .tools/pulumi, unless one is on PATH
	@$(VENV)/bin/python tools/get_pulumi.py

.PHONY: check
check: $(SETUP) ## formatting, lint, types, import rule
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: fmt
fmt: $(SETUP) ## format the code and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

.PHONY: golden
golden: $(SETUP) ## write the golden files again; read their diff
	SLUICE_GOLDEN=write $(VENV)/bin/python -m pytest -q -m golden

.PHONY: docs
docs: $(SETUP) ## write docs/policies.md again: the forecasts of the ready-made policies
	$(VENV)/bin/python -m tools.policies_page

.PHONY: bench
bench: $(SETUP) ## what Sluice's parts cost, beside baselines of the same run: docs/benchmarks.md; takes minutes
	$(VENV)/bin/python -m benchmarks.system

.PHONY: bench-judge
bench-judge: $(SETUP) ## the judge against rivals in simulated worlds: docs/judge.md; takes minutes
	$(VENV)/bin/python -m benchmarks.judge

.PHONY: clean
clean: ## remove everything that was made
	rm -rf $(VENV) $(BARE) build .coverage .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
