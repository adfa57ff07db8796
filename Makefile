# make run     serve the example application on http://127.0.0.1:8000
# make test    run all tests, on each Python from 3.11 on that this machine has; installs nginx and Chromium where it may
# make check   format, lint, types and layers
# make bench   compare with other frameworks: requests, routing, a server's throughput, files, uploads; some ten minutes
# make fuzz    try the parsers on generated input for a minute, beside others
# make features   which features of the dialects have a test; MUTATE=50 breaks fifty of them, to see the tests fail
# make compat  run other projects' tests on the dialects: about two minutes
# make clean   remove what these have made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCHMARKS := benchmarks $(addprefix benchmarks., imports routing typed dialects throughput files uploads upload_crowd)

.PHONY: run test check bench fuzz features compat clean

run: $(VENV)/.ready
	$(BIN)/antiphon run examples.tour:app

test:
	PYTHON=$(PYTHON) scripts/test

check: $(VENV)/.check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	status=0; for each in $(BENCHMARKS); do $(BIN)/python -m $$each || status=1; done; exit $$status

features: $(VENV)/.check
	MUTATE="$(MUTATE)" SEED="$(SEED)" PYTHON=$(BIN)/python scripts/features

compat:
	PYTHON=$(PYTHON) scripts/compat

fuzz: $(VENV)/.check
	$(BIN)/python -m fuzz.multipart --seconds 60

$(VENV)/.ready: pyproject.toml
	scripts/venv $(PYTHON) $(VENV)
	touch $@

$(VENV)/.check: $(VENV)/.ready
	$(BIN)/pip install --quiet --group check
	touch $@

$(VENV)/.bench: $(VENV)/.ready
	$(BIN)/pip install --quiet --group bench
	touch $@

clean:
	rm -rf .venv .venv-* .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
