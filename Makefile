# Everything here sets itself up: the first call makes .venv and installs the pinned packages.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Compiling every import anew would triple the start of each of the many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check chromium fmt soak bench screenshots lock clean

help:  ## print this help
	@echo "Darkroom: make <target>"
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10 | sed 's/^/  /'

.venv/.installed: requirements-dev.txt
	@python=""; for name in python3.13 python3.12 python3.11 python3; do \
	  if $$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "Darkroom needs Python 3.11, 3.12 or 3.13 with venv: install one and call make again." >&2; exit 1; fi; \
	echo "Installing into .venv with $$python …"; \
	rm -rf .venv && $$python -m venv .venv && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements-dev.txt)" && \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt && \
	touch $@

run: .venv/.installed  ## start everything on embedded parts and optimize the demo photographs (PORT=8000)
	@exec $(BIN)/python -m sandbox

# The checks and a browser's installation wait for different things, so they run side by side.
test: .venv/.installed  ## run every check and every test
	@$(MAKE) --no-print-directory -j2 check chromium
	@$(PYTEST) -n 4 --dist worksteal -m "not soak"

check: .venv/.installed  ## format, lint, types, import contracts, container files
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy --num-workers 2
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml

chromium: .venv/.installed  ## find a Chromium for the tests of the pages, or install one (CHROMIUM=path)
	@$(BIN)/python -m tests.browser.chromium

fmt: .venv/.installed  ## format the code and fix what the linter can fix
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

soak: chromium  ## run the long versions of the tests
	@$(PYTEST) -m soak --timeout 1800

bench: .venv/.installed  ## measure everything and write docs/benchmarks.md (ONLY="limiter size")
	@$(BIN)/python -m benchmarks $(ONLY)

screenshots: chromium  ## take the user guide's pictures from the `make run` that runs beside
	@$(BIN)/python -m docs.screenshots

lock: .venv/.installed  ## compile requirements.txt and requirements-dev.txt from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --upgrade \
	  pyproject.toml --group dev --output-file requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	  pyproject.toml --constraint requirements-dev.txt --output-file requirements.txt

clean:  ## forget the sandbox's data and the virtual environment
	@rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
