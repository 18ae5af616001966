# Everything is run from here: `make run`, `make test`, `make check`. Needs Python 3.11 or newer, and make.

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
# Several files at a time: half of the tests wait for processes, sockets and browsers.
TEST_ARGS ?= --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: help run test check format bench faults clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## the whole console in this terminal, http://127.0.0.1:8000 (HOST=, PORT=)
	@exec $(BIN)/python manage.py console --host $(HOST) --port $(PORT)

test: $(VENV)/.installed-dev ## all tests that this machine can run; says what was left out (TEST_ARGS=)
	@$(BIN)/python -m pytest $(TEST_ARGS)

check: $(VENV)/.installed-dev ## everything static
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	CONSOLE_ENV=prod SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
		ALLOWED_HOSTS=console.example.org CONSOLE_URL=https://console.example.org CSRF_TRUSTED_ORIGINS=https://console.example.org BEHIND_TLS_PROXY=on \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/.installed-dev ## put code and templates into their form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djlint --reformat --quiet templates

bench: $(VENV)/.installed-dev ## the speed claims, each a ratio from one run
	$(BIN)/python -m tests.bench

faults: $(VENV)/.installed-dev ## break each part in each way, under load, and print what came of it (FAULT_ARGS=--short, --only "kill -9")
	@$(BIN)/python -m tests.faults $(FAULT_ARGS)

clean: ## remove what can be made again; the database in var/ stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and was not found on the PATH." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-telemetry.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
