# Two commands do everything on a fresh clone: `make demo` and `make test`. Both set up what they need, once.
PYTHON ?= python3.13
BIN := .venv/bin
AZURITE := tools/azurite/node_modules/.installed
CHECKOV := .cache/checkov/.installed
SETUP := .venv/.installed $(AZURITE)
CODE := function_app.py diagnostics sandbox tests benchmarks tools

.DEFAULT_GOAL := help
.PHONY: help setup demo sandbox test check check-infra lint types contracts format lock bench package clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(SETUP) ## Virtual environment with the locked dependencies, and Azurite

demo: $(SETUP) ## Run the main job in the sandbox: five scenarios, told as stories
	@$(BIN)/python -m sandbox.demo

sandbox: $(SETUP) ## Run everything by hand: prints addresses and a curl line that fires an alert
	@$(BIN)/python -m sandbox

test: $(SETUP) ## All tests, on all cores: those of a file in one process, in their order
	@$(BIN)/python -m pytest -n auto --dist loadfile

check: lint types contracts check-infra test ## What CI runs

check-infra: $(SETUP) $(CHECKOV) ## Terraform, Bicep and Checkov on infra/, as a table (STRICT=1: none may be missing)
	@$(BIN)/python -m tools.infra $(if $(STRICT),--strict)
	@$(BIN)/python -m pytest -m tools -n auto tests/infra

lint: $(SETUP) ## Style, and whether the code is formatted
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(SETUP) ## Types, strictly
	@$(BIN)/mypy

contracts: $(SETUP) ## The layers point one way
	@$(BIN)/lint-imports

format: $(SETUP) ## Format, and mend what can be mended
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

lock: $(SETUP) ## Compile requirements.lock anew from requirements.txt and pyproject.toml
	@$(BIN)/uv pip compile requirements.txt pyproject.toml --extra cli --group dev --universal --python-version 3.13 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile --group bench --constraint requirements.lock --universal --python-version 3.13 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file benchmarks/requirements.lock
	@cd tools/checkov && $(CURDIR)/$(BIN)/uv pip compile requirements.txt --universal --python-version 3.13 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock

package: .venv/.installed ## The zip that is deployed, the same bytes from the same sources
	@$(BIN)/python tools/package.py dist/vmreach.zip

bench: .venv/.bench ## Measurements, as tables of ratios (a C compiler is needed once, for pytricia)
	@$(BIN)/python -m benchmarks

clean: ## Remove what setup and the tools made
	rm -rf .venv dist tools/azurite/node_modules .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.installed: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "vmreach needs Python 3.13: '$(PYTHON)' was not found (make PYTHON=/path/to/python3.13)"; exit 1; }
	@echo "setting up: virtual environment with the locked dependencies (about half a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/.bench: $(SETUP) benchmarks/requirements.lock
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	@touch $@

# Checkov pins much: an environment of its own.
$(CHECKOV): tools/checkov/requirements.lock | .venv/.installed
	@echo "setting up: Checkov (about half a minute)"
	@$(PYTHON) -m venv --clear .cache/checkov
	@.cache/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/checkov/requirements.lock \
	  && touch $@ || { echo "Checkov cannot be installed: its checks are skipped (with STRICT=1 they fail)"; rm -rf .cache/checkov; }

# Azurite comes from npm; where there is no npm, Node.js comes from PyPI.
$(AZURITE): tools/azurite/package-lock.json tools/azurite/node.txt .venv/.installed
	@echo "setting up: Azurite, for storage on this machine (about half a minute)"
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r tools/azurite/node.txt
	@PATH="$$PATH:$(CURDIR)/$(BIN)" && cd tools/azurite && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
