# Needs Python 3.11 or newer, and make. Every target builds and refreshes .venv by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Compiled modules are kept: a machine that forbids it makes every child process of a test compile the whole tree again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help venv demo up test check pytest chaos bench fmt lock migration settings clean

# The first interpreter that is new enough and really runs.
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && command -v $$p && break; done)
endif
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := $(VENV)/.locked
LOCKED_ONLY := --quiet --no-deps --require-hashes --requirement requirements.lock
READY := $(VENV)/.ready
CODE := activities api bench compliance deploy models tests workflows
STORE ?= data
NAME ?= change
ARGS ?=

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# uv takes a fifth of pip's time and reads nothing of pip's configuration: it is told which index, proxy and certificates
# pip has. No index has to win over another, since a hash decides. Where uv cannot reach them, pip does it.
LIKE_PIP := $(PIP) config list | sort -r | sed -n -e 's/\\n/ /g' \
	-e 's/^[^=]*[.]index-url=/UV_DEFAULT_INDEX=/p' -e 's/^[^=]*[.]extra-index-url=/UV_INDEX=/p' \
	-e 's/^[^=]*[.]find-links=/UV_FIND_LINKS=/p' -e 's/^[^=]*[.]trusted-host=/UV_INSECURE_HOST=/p' \
	-e 's/^[^=]*[.]proxy=/ALL_PROXY=/p' -e 's/^[^=]*[.]cert=/SSL_CERT_FILE=/p'

$(LOCKED): requirements.lock
	@test -n "$(PYTHON)" || { echo "Casework needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ *--hash/p;}' requirements.lock | $(PIP) install --require-hashes --requirement /dev/stdin
	set -a; UV_INDEX_STRATEGY=unsafe-best-match; eval "$$($(LIKE_PIP))"; \
	$(BIN)/uv pip install $(LOCKED_ONLY) --python $(BIN)/python --compile-bytecode \
		|| $(PIP) install $(LOCKED_ONLY)
	touch $@

$(READY): $(LOCKED) pyproject.toml
	$(PIP) install --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q -j 2 $(CODE)
	touch $@

venv: $(READY) ## The virtual environment, from the hashed lock file

demo: $(READY) ## The systems end to end on this machine; exit 0 only if every check holds
	$(BIN)/casework demo $(ARGS)

up: $(READY) ## Temporal, API, workers and duties on this machine
	$(BIN)/casework up $(ARGS)

check: $(READY) ## Format, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(READY) ## What must hold before a change goes in: the checks beside the tests
	@$(MAKE) --no-print-directory -j 2 check pytest

# Four on two cores: many tests wait for Temporal, PostgreSQL or a child process.
pytest: $(READY)
	$(BIN)/pytest -n 4 --dist loadscope --no-loadscope-reorder -m "not chaos and not long" tests $(ARGS)

chaos: $(READY) ## Kill processes in the middle of cases, run long lives; nothing may be lost or counted twice
	$(BIN)/pytest -m "chaos or long" tests $(ARGS)

bench: $(READY) ## The figures, each beside its floor
	$(BIN)/python -m bench $(ARGS)

fmt: $(READY) ## Format, and mend what can be mended by rule
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY) ## requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--extra embedded --extra pkcs11 --group dev pyproject.toml --output-file requirements.lock

migration: $(READY) ## Draft the next migration: make migration STORE=data|keys NAME="add reminders"
	$(BIN)/python -m tests.support.draft_migration $(STORE) "$(NAME)"
	$(BIN)/ruff check --quiet --fix models/migrations
	$(BIN)/ruff format --quiet models/migrations

settings: $(READY) ## docs/settings.md from deploy/settings.py
	$(BIN)/python -c 'from deploy.settings import settings_page; print(settings_page(), end="")' > docs/settings.md

clean: ## Caches and builds; neither .venv nor data
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
