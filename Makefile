# `make serve` and `make test` need Python 3.11+ and make, nothing else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
HOST ?= 127.0.0.1
PORT ?= 8000

.PHONY: serve test check conformance conformance-missing lint format bench lock clean

serve: $(VENV)/installed
	@exec $(RUN) manage.py serve --host "$(HOST)" --port "$(PORT)"

test: $(VENV)/installed-dev
	@.ci/test "not long"

check: $(VENV)/installed-dev
	@.ci/test "long"

# Every row of the contracts, its tests and how they end, into docs/conformance.md.
conformance: $(VENV)/installed-dev
	@.ci/conformance

# The rows of a contract that no test holds: make conformance-missing FILE=rooms
conformance-missing: $(VENV)/installed-dev
	@$(RUN) -m pytest -q --conformance-missing="$(FILE)"

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff check --config .ci/ruff.toml .
	$(VENV)/bin/ruff format --config .ci/ruff.toml --check .
	$(VENV)/bin/mypy --config-file .ci/mypy.ini chatplatform clients conversations messaging analytics
	$(RUN) manage.py makemigrations --check --dry-run

format: $(VENV)/installed-dev
	$(VENV)/bin/ruff check --config .ci/ruff.toml --fix .
	$(VENV)/bin/ruff format --config .ci/ruff.toml .

bench: $(VENV)/installed-dev
	@$(RUN) bench/run.py $(BENCH_ARGS)

# Pins every package, its hashes too, from what .ci/requirements*.in ask for.
lock: $(VENV)/installed-dev
	$(VENV)/bin/pip install -q uv
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --generate-hashes \
		--custom-compile-command "make lock" .ci/requirements.in -o requirements.txt
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --generate-hashes \
		--custom-compile-command "make lock" .ci/requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf $(VENV) data

# Where Python comes without ensurepip, its own pip installs into the environment from outside.
$(VENV)/bin/python:
	@echo "Making the virtual environment"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m venv --without-pip --clear $(VENV)

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing the pinned packages"
	@$(PYTHON) -m pip --python $(RUN) install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing what tests need"
	@$(PYTHON) -m pip --python $(RUN) install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
