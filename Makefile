# make run     serve the example applications on http://127.0.0.1:8000
# make quick   the tests that need no server, browser or other process, with few packages: about a minute on two processors, or TESTS=folder, also of src
# make test    the tests, on the newest Python that this machine has
# make lint    format and lint
# make check   format, lint, layers, and the types of what changed; where CI is set, all types
# make sanitize   the extension in C, with sanitizers and in a debug build of Python
# make system-packages   install what some tests need from the system: servers, Chromium, curl, Valgrind, GCC and a debug Python
# make bench   compare with other frameworks, and measure pages, JSON, sockets, the log and the start; some twenty minutes
# make docs    build the site of the documentation into build/site, without network once its tool and Pyodide are here
# make release   build the wheel and the sdist, and try them with the newest and the lowest dependencies; no tag
# make clean   remove what these have made

PYTHON ?= $(shell scripts/pythons | head -n 1)
unexport PYTHONDONTWRITEBYTECODE # with it, each process would compile all that it imports
VENV := .venv
BIN := $(VENV)/bin
BENCHMARKS := benchmarks $(addprefix benchmarks., instructions floor pages observers start which_server wire sockets everyday)

# The pages on public names, written again if a docstring may have changed.
REFERENCE := docs/reference/names.md

.PHONY: help run quick test lint check sanitize system-packages bench docs release clean

help:
	@sed -n 's/^# make/make/p' Makefile

run: $(VENV)/.ready $(REFERENCE)
	$(BIN)/antiphon run --debug examples.site:make_site

$(REFERENCE): $(shell find src/antiphon -name '*.py' -o -name '*.pyi' -o -name errors.md) $(wildcard scripts/*.py) | $(VENV)/.ready
	$(BIN)/python -m scripts.reference

quick: $(VENV)/.quick $(if $(TESTS),$(if $(filter tests/docs%,$(TESTS)),$(REFERENCE)),$(REFERENCE))
	$(BIN)/python -m tests --expensive 0 -m "not processes" $(TESTS)

test: $(VENV)/.test
	scripts/test --make $(REFERENCE)

system-packages:
	scripts/system-packages

check: $(VENV)/.check
	scripts/check

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

sanitize: $(VENV)/.check
	scripts/sanitize

bench: $(VENV)/.bench
	status=0; for each in $(BENCHMARKS); do $(BIN)/python -m $$each || status=1; done; exit $$status

release: $(VENV)/.release $(REFERENCE)
	$(BIN)/python -m scripts.release --dry

docs: $(VENV)/.ready $(REFERENCE)
	scripts/install $(VENV) --group docs
	$(BIN)/python -m scripts.playground.fetch || :
	$(BIN)/python -m scripts.docs_site

$(VENV)/.ready: pyproject.toml setup.py $(wildcard src/antiphon/speedups/*.[ch])
	scripts/venv $(PYTHON) $(VENV) examples

$(VENV)/.quick: $(VENV)/.ready
	scripts/install $(VENV) --group quick
	touch $@

$(VENV)/.lint: $(VENV)/.ready
	scripts/install $(VENV) --group lint
	touch $@

$(VENV)/.test: $(VENV)/.ready
	scripts/install $(VENV) --group test
	touch $@

$(VENV)/.check: $(VENV)/.ready
	scripts/install $(VENV) --group check
	touch $@

$(VENV)/.release: $(VENV)/.ready
	scripts/install $(VENV) --group release
	touch $@

$(VENV)/.bench: $(VENV)/.ready
	scripts/install $(VENV) --group bench
	touch $@

clean:
	rm -rf .venv .venv-* var build dist .coverage .coverage.* .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
