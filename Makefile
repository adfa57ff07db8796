# make run     serve the example applications on http://127.0.0.1:8000
# make quick   the tests that need no server, browser or other process, with few packages: some five minutes on two processors, or TESTS=folder
# make test    run the tests, on the newest Python that this machine has
# make test-all-pythons   the same, and on each other Python from 3.11 on what can differ there
# make test-all   the same as `make test`, with every combination of what multiplies a test, and what takes long
# make coverage   the tests of CI, and which lines they run: too few are a failure
# make system-packages   install what some tests need from the system: servers, Chromium, curl, Valgrind, GCC and a debug Python
# make check   format, lint, types for the oldest and the newest Python, and layers; with --jobs 2 side by side
# make lint    format and lint alone
# make sanitize   test the extension in C with sanitizers, and in a debug build of Python
# make bench   compare with other frameworks: requests, growth, memory, sockets, routing, sessions, files, uploads; some twenty minutes
# make first-hour   compare with other frameworks at a terminal: reload, mistakes, Ctrl-C; some fifteen minutes
# make fuzz    try the parsers on generated input for a minute, beside others
# make random-apps   try random applications for a minute, with a new seed: the same over each interface and on servers
# make features   how many features of the dialects have a test, and are seen by clients
# make mutants   break the core in forty places by hand, and see tests fail; MUTANTS="--random 60" breaks other places, also of the dialects
# make compat  run other projects' tests on the dialects: some ten minutes on two processors, most of them for Placement
# make wall moto   run one application's own tests on a dialect: docs/reference/wall.md names the applications
# make corpora   read the examples of HTTP's authors with Antiphon and with others, those that can be fetched; lint answers
# make api-clients   generate clients of an API, in TypeScript and Python, with generators that it fetches, and run them
# make tool-clients   use an API's tools with clients in TypeScript, an agent and a conformance suite, which it fetches
# make interop   sign and verify requests with packages of npm, which it fetches
# make weekly   all of what is too long or too random for each change: test-all with 1,000 examples, fuzz, mutants, features, compat, corpora, api-clients, tool-clients, interop, newest, coverage, test-all-pythons; hours
# make environments   build the wheel; try it with nothing else, with each extra alone, and in what `antiphon new` makes
# make newest  run the tests that stand on other projects on the wheel, with the newest versions of all
# make test-elsewhere   run some tests in another folder, time zone, locale and umask, without a home
# make release   build the wheel and the sdist, and try them with the newest and the lowest dependencies; no tag
# make docs    build the site of the documentation into build/site, without network once its tool and Pyodide are here
# make clean   remove what these have made

PYTHON ?= $(shell scripts/pythons | head -n 1)
unexport PYTHONDONTWRITEBYTECODE # with it, each process would compile all that it imports
VENV := .venv
BIN := $(VENV)/bin
BENCHMARKS := benchmarks $(addprefix benchmarks., instructions floor imports growth waiting_requests events typed pages sessions dialects wire which_server server_cost workers access_log first_page worker_memory interop sockets everyday files small_files uploads upload_crowd)

.PHONY: run quick test test-all-pythons test-all coverage test-elsewhere system-packages check lint types-3.11 types-3.14 types-pyright layers sanitize bench first-hour fuzz random-apps features mutants compat wall corpora api-clients tool-clients interop weekly environments newest release docs clean

run: $(VENV)/.ready
	$(BIN)/antiphon run examples.site:make_site

# The pages on public names, written again if a docstring may have changed.
REFERENCE := docs/reference/names.md
$(REFERENCE): $(shell find src/antiphon -name '*.py' -o -name '*.pyi' -o -name errors.md) $(wildcard scripts/*.py) | $(VENV)/.ready
	$(BIN)/python -m scripts.reference

quick: $(VENV)/.quick $(if $(filter-out tests/docs%,$(TESTS)),,$(REFERENCE))
	EXAMPLES=10 $(BIN)/python -m pytest -m "not processes and not slow" $(if $(TESTS),$(TESTS),--numprocesses 2 --dist worksteal)

test: $(VENV)/.test $(REFERENCE)
	scripts/test

test-all-pythons: test
	scripts/test-older-pythons all

test-all: $(VENV)/.test $(REFERENCE)
	scripts/test -m "slow or not slow" --all-combinations

coverage: $(VENV)/.test $(REFERENCE)
	CI=true COVERAGE=yes scripts/test

system-packages:
	scripts/system-packages

check: lint types-3.11 types-3.14 types-pyright layers

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types-3.11 types-3.14: types-%: $(VENV)/.check
	$(BIN)/mypy --python-version $*

types-pyright: $(VENV)/.check
	$(BIN)/pyright

layers: $(VENV)/.check
	$(BIN)/lint-imports

test-elsewhere: $(VENV)/.test $(REFERENCE)
	scripts/test-elsewhere

sanitize: $(VENV)/.check
	scripts/sanitize

bench: $(VENV)/.bench
	status=0; for each in $(BENCHMARKS); do $(BIN)/python -m $$each || status=1; done; exit $$status

first-hour:
	scripts/venv $(PYTHON) .venv-first-hour first-hour
	.venv-first-hour/bin/python -m benchmarks.first_hour

features: $(VENV)/.check
	$(BIN)/python -m tests.dialects.features

mutants: $(VENV)/.test
	$(BIN)/python -m tests.mutants $(MUTANTS)

compat:
	PYTHON=$(PYTHON) scripts/compat

ifeq ($(firstword $(MAKECMDGOALS)),wall)
APPLICATION := $(wordlist 2, 2, $(MAKECMDGOALS))
.PHONY: $(APPLICATION)
$(APPLICATION): wall
	@:
endif

wall:
	PYTHON=$(PYTHON) scripts/wall $(APPLICATION)

corpora: $(VENV)/.corpora
	$(BIN)/python -m tests.corpora
	$(BIN)/python -m pytest tests/corpora
	$(BIN)/python -m tests.corpora.caches
	WITHOUT_PROJECT=yes scripts/venv $(PYTHON) .venv-httplint httplint
	mkdir -p var
	$(BIN)/python -m tests.corpora.answers var/answers.json
	.venv-httplint/bin/python -m scripts.lint_answers var/answers.json

api-clients: $(VENV)/.test
	npm install --silent --no-save --prefix var/api-clients openapi-fetch@0 openapi-typescript@7 typescript@5 @types/node@20 ai@7
	WITHOUT_PROJECT=yes scripts/venv $(PYTHON) var/api-clients/venv api-clients
	$(BIN)/python -m pytest tests/docs/test_openapi_clients_page.py tests/docs/test_stream_a_model_page.py \
		tests/features/openapi/test_generated_clients.py
	$(BIN)/python -m pytest tests/features/runs/test_served.py -k sdk

tool-clients: $(VENV)/.test
	npm install --silent --no-save --prefix var/tool-clients @modelcontextprotocol/client@2 @modelcontextprotocol/sdk@1 @modelcontextprotocol/conformance@0.2.0-alpha.12
	WITHOUT_PROJECT=yes scripts/venv $(PYTHON) var/tool-clients/venv tool-clients
	$(BIN)/python -m pytest tests/features/tools/test_other_clients.py

interop: $(VENV)/.test
	npm install --silent --no-save --prefix var/interop http-message-signatures@1 standardwebhooks@1 @octokit/webhooks-methods@6
	$(BIN)/python -m pytest tests/features/signatures/test_other_libraries.py

weekly:
	PYTHON=$(PYTHON) scripts/weekly

environments: $(VENV)/.ready $(REFERENCE)
	$(BIN)/python -m tests.environments

newest: $(VENV)/.ready $(REFERENCE)
	$(BIN)/python -m tests.environments newest

release: $(VENV)/.release $(REFERENCE)
	$(BIN)/python -m scripts.release --dry

docs: $(VENV)/.ready $(REFERENCE)
	scripts/install $(VENV) --group docs
	$(BIN)/python -m scripts.playground.fetch || :
	$(BIN)/python -m scripts.docs_site

fuzz: $(VENV)/.check
	$(BIN)/python -m fuzz.multipart --seconds 60
	$(BIN)/python -m fuzz.speedups --count 200000

random-apps: $(VENV)/.check
	$(BIN)/python -m tests.random_apps --seconds 60

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

$(VENV)/.corpora: $(VENV)/.ready
	scripts/install $(VENV) --group corpora
	touch $@

$(VENV)/.release: $(VENV)/.ready
	scripts/install $(VENV) --group release
	touch $@

$(VENV)/.bench: $(VENV)/.ready
	scripts/install $(VENV) --group bench
	touch $@

clean:
	rm -rf .venv .venv-* var build dist .coverage .coverage.* .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
