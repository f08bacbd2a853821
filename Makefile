# Needs python3 (3.11 or newer, with venv) and make; everything else is installed into .venv, here.

PYTHON  ?= python3
# pytest processes: CI has two cores, and who captures live waits most of the time.
WORKERS ?= 3
# More arguments for pytest, such as: make test PYTEST_ARGS="-k rules -x". A selection is not held to the coverage.
PYTEST_ARGS ?=
# Least coverage, in percent, of the core (see pyproject.toml). The only place where it is set.
CORE_COVERAGE := 98

DEMO := captures/founding_go_fin60.pcap
BIN  := .venv/bin

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# pip would compile all that it installs, for a minute, of which little is ever imported: that is compiled then. This
# reaches the installations for a build as well, as --no-compile would not; for pip 0 in this variable means the option.
export PIP_NO_COMPILE = 0
unexport PYTHONPATH
# Tests start the command hundreds of times: without bytecode each start would compile the whole package, for 0.3 s.
unexport PYTHONDONTWRITEBYTECODE

# pip, matplotlib, go and chromium keep caches under HOME; without a usable one, .venv/home is it.
ifneq ($(shell test -n "$$HOME" && test -d "$$HOME" && test -w "$$HOME" && echo usable),usable)
export HOME := $(CURDIR)/.venv/home
endif

# Programs that some tests run, as program:package.
PROGRAMS := tshark:tshark dumpcap:wireshark-common tcpdump:tcpdump ip:iproute2 iptables:iptables go:golang-go tcptrace:tcptrace chromium:chromium chromedriver:chromium-driver

# So often make fuzz runs each target.
EXECUTIONS ?= 1000000

# What make quick looks at: a folder of tests/ (T=explain), a module there (T=citations), or words for pytest -k.
T ?= explain
subject = $(firstword $(wildcard tests/$(T) tests/test_$(T).py tests/*/test_$(T).py tests/*/*/test_$(T).py))

.PHONY: help demo test tests compiled quick lint style types format docs notebooks bench texts cuts fuzz clean programs install-all needed package

help:
	@echo "make demo    install into .venv and explain the capture this program was written for"
	@echo "make test    everything that CI checks: format, lint, types, import contracts, tests, coverage"
	@echo "make quick   lint and the tests of one subject, in under a minute: make quick T=explain"
	@echo "make lint    everything that make test checks but the tests"
	@echo "make format  rewrite the code in the house format"
	@echo "make docs    build the documentation site: build/site/index.html"
	@echo "make notebooks  run the notebooks and store what they show"
	@echo "make bench   measure the speed"
	@echo "make texts   explain what tcpdump and tshark print of every capture, in every form"
	@echo "make cuts    cut and thin out all bundled captures: no frame becomes a probe by that"
	@echo "make fuzz    change frames, files and segments until something breaks: make fuzz EXECUTIONS=1000000"
	@echo "make clean   remove .venv and everything else that was made"

# ── use ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# The plot joins the demonstration by itself once the command has the verb.
demo: .venv/installed
	$(BIN)/keepalive explain $(DEMO)
	@if $(BIN)/keepalive plot --help >/dev/null 2>&1; then \
	  set -x; $(BIN)/keepalive plot $(DEMO) -o founding.png --force; \
	fi

# Every cut and every drop of the bundled captures; the tests try a sample.
texts: programs .venv/installed-checks
	KEEPALIVE_ALL_TEXTS=1 KEEPALIVE_JIT=0 $(BIN)/python -m pytest -q -n $(WORKERS) tests/test_text_round_trip.py

cuts: .venv/installed-checks
	KEEPALIVE_JIT=0 $(BIN)/python tests/cuts.py

# A frame takes some 15 us, a file in its reader 1 ms, a file or sequence through everything that follows 3 to 6 ms.
fuzz: .venv/installed-checks
	$(BIN)/python -m tests.fuzz.run decode --executions $(EXECUTIONS)
	$(BIN)/python -m tests.fuzz.run framing --executions $$(( $(EXECUTIONS) / 20 ))
	$(BIN)/python -m tests.fuzz.run tracker --executions $$(( $(EXECUTIONS) / 100 ))
	$(BIN)/python -m tests.fuzz.run whole --executions $$(( $(EXECUTIONS) / 100 ))

bench: .venv/installed-checks
	$(BIN)/python tests/bench/run.py
	$(BIN)/python tests/bench/run.py --probing 0.75 --no-start --no-growth

# ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────

# The loops run as plain Python here (KEEPALIVE_JIT=0): coverage sees no compiled line.
# What some tests run compiled is compiled once, by both processors, before: the wheel of another test takes it, too.
# mypy, which has one process, runs beside all that: format and style, which take seconds, are checked before.
test: programs style
	@$(MAKE) --no-print-directory -j 2 types tests

tests: compiled
	$(BIN)/coverage erase
	KEEPALIVE_JIT=0 $(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
ifeq ($(strip $(PYTEST_ARGS)),)
	@echo "The core, at least $(CORE_COVERAGE) %:"
	$(BIN)/coverage report --fail-under=$(CORE_COVERAGE)
else
	$(BIN)/coverage report
endif

compiled: .venv/installed-checks
	@$(BIN)/python -P hatch_build.py || echo "nothing is compiled before the tests: those that run compiled code compile it, or are skipped"

quick: lint
	KEEPALIVE_JIT=0 $(BIN)/python -m pytest -q -x -n $(WORKERS) -m "not slow" $(if $(subject),$(subject),-k "$(T)") $(PYTEST_ARGS)

lint: style types

style: .venv/installed-checks
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: .venv/installed-checks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/installed-checks
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# Their outputs are in the repository; a test says when they are old.
notebooks: .venv/installed-checks
	KEEPALIVE_JIT=0 $(BIN)/python notebooks/execute.py

# Whatever the site is made of is laid out anew; only then is it built, without the network.
docs: .venv/installed-docs
	rm -rf build/site-src build/site
	$(BIN)/python docs/build.py site build/site-src
	$(BIN)/zensical build --strict

# ── install ──────────────────────────────────────────────────────────────────────────────────────────────────────

no_python = echo "make: this needs Python 3.11 or newer as $(PYTHON); install it, or name one: make PYTHON=/path/to/python3.11" >&2
no_venv   = echo "make: $(PYTHON) cannot make a virtual environment; install its venv module (package python3-venv on Debian and Ubuntu)" >&2
no_pip    = echo "make: pip could not install the dependencies; see its message above (is a package index within reach?)" >&2

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { $(no_python); exit 1; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; $(no_venv); exit 1; }

.venv/home: .venv/bin/python
	@mkdir -p $@

# The extras that the checks need.
for_checks = test,completion,mcp,parquet,notebook,fleet-s3,metrics

# What is needed is fetched while the package is built, for which the loops are compiled: two pips, each on its own.
install = $(MAKE) --no-print-directory -j 2 needed package

.venv/installed: pyproject.toml | .venv/bin/python .venv/home
	@echo "Installing into .venv (a minute or two, the first time)"
	@$(install) EXTRAS=
	@touch $@

.venv/installed-checks: pyproject.toml | .venv/bin/python .venv/home
	@echo "Installing into .venv, with what the checks need (a few minutes, the first time)"
	@$(install) EXTRAS=$(for_checks)
	@touch .venv/installed $@

.venv/installed-docs: pyproject.toml | .venv/bin/python .venv/home
	@echo "Installing into .venv, with what the documentation site needs"
	@$(install) EXTRAS=docs
	@touch .venv/installed $@

# Both at once, as CI does.
install-all: pyproject.toml | .venv/bin/python .venv/home
	@echo "Installing into .venv, with what the checks and the documentation site need (a few minutes, the first time)"
	@$(install) EXTRAS=$(for_checks),docs
	@touch .venv/installed .venv/installed-checks .venv/installed-docs

needed:
	@$(BIN)/python dependencies.py "$(EXTRAS)" >.venv/needed.txt
	@$(BIN)/python -m pip install --quiet --requirement .venv/needed.txt || { $(no_pip); exit 1; }

package:
	@$(BIN)/python -m pip install --quiet --no-deps --editable . || { $(no_pip); exit 1; }

# Tried once, and only as root with apt-get. Never fails: what is still missing is named, and its tests skip.
.venv/programs: | .venv/bin/python
	@missing=; for each in $(PROGRAMS); do \
	  command -v "$${each%%:*}" >/dev/null || missing="$$missing $${each#*:}"; \
	done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing with apt-get:$$missing"; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt="timeout 900 apt-get -qq -o DPkg::Lock::Timeout=60 -o Acquire::Retries=2 -o Acquire::http::Timeout=30"; \
	  { $$apt update; for each in $$missing; do $$apt install -y --no-install-recommends "$$each"; done; } \
	    </dev/null >.venv/programs.log 2>&1 || true; \
	fi
	@touch $@

programs: .venv/programs
	@for each in $(PROGRAMS); do \
	  command -v "$${each%%:*}" >/dev/null || \
	    echo "not installed: $${each%%:*} (package $${each#*:}); the tests that run it will be skipped"; \
	done

clean:
	rm -rf .venv .coverage .coverage.* htmlcov build dist founding.png
	rm -rf .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find analyzer captures docs notebooks tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
