# Developer tasks. Requires make and Python 3.11 to 3.14 with venv and pip.
# `make demo` and `make test` install everything else, in the folder .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3.14 || command -v python3)
VENV ?= .venv
PYTEST_ARGS ?=
DEMO_DIR ?= hexrecruit-demo
FUZZ_SECONDS ?= 300

BIN := $(VENV)/bin
METADATA := pyproject.toml src/napari_hexrecruit/_version.py
# Installing with these extras is enough for the tests, the linters and the type checker.
CHECK_EXTRAS := test,lint

# Tests neither read nor change the user's napari settings, fail if a widget is left behind, and use
# the Qt binding that is installed for them. Python keeps bytecode, because tests start many processes.
TEST_ENV := PYTHONDONTWRITEBYTECODE= NAPARI_CONFIG= NAPARI_STRICT_QT=raise QT_API=pyqt6 PYTEST_QT_API=pyqt6

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo check test slow-motion lint type docs bench fuzz reliability calibrate golden gallery screenshots rooms build

help:
	@echo "make setup        .venv with everything for work on the project"
	@echo "make demo         sample simulation -> cube -> movie, in $(DEMO_DIR)/; opens the viewer where it can"
	@echo "make check        lint, types and the fast tests: while you work"
	@echo "make test         lint, types, manifest and all tests: before you push, and in CI (10 minutes on 2 cores)"
	@echo "make slow-motion  tests of windows with late events and longer jobs: finds those that depend on timing"
	@echo "make lint | type  one of those alone"
	@echo "make docs         documentation as HTML, in docs/_build/html/"
	@echo "make bench        benchmarks, against the reference pipeline"
	@echo "make fuzz         damaged files for FUZZ_SECONDS (300): never a traceback, a hang or half an output"
	@echo "make reliability  deviations, damaged files and killed runs in numbers: writes docs/reliability.md"
	@echo "make calibrate    how often maps are called a wave: writes docs/calibration.md"
	@echo "make rooms        draw the figure of the rooms in docs/design.md again"
	@echo "make golden       draw the golden pictures of the tests again"
	@echo "make gallery      draw the pictures of the gallery again, and write its page"
	@echo "make screenshots  photograph the viewer for README and documentation"
	@echo "make build        wheel and sdist, in dist/"

# --- installation: a stamp per set of extras, renewed when the metadata changes -------------------

$(VENV)/.made:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "make: Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -m venv "$(VENV)" || \
	    { echo "make: $(PYTHON) cannot make a virtual environment; on Debian or Ubuntu install python3-venv" >&2; exit 1; }
	@touch $@

define install
	@echo "Installing napari-hexrecruit[$(1)] into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(1)]"
	@touch $@
endef

$(VENV)/.all: $(METADATA) | $(VENV)/.made
	$(call install,all)

$(VENV)/.check: $(METADATA) | $(VENV)/.made
	$(call install,$(CHECK_EXTRAS))

$(VENV)/.docs: $(METADATA) | $(VENV)/.made
	$(call install,docs)

$(VENV)/.dev: $(METADATA) | $(VENV)/.made
	$(call install,dev)

# --- targets --------------------------------------------------------------------------------------

setup: $(VENV)/.dev
	@touch $(VENV)/.all $(VENV)/.check $(VENV)/.docs
	@echo "make setup: ready; activate it with '. $(BIN)/activate'"

demo: $(VENV)/.all
	@if [ -n "$$DISPLAY" ]; then scripts/system-libs.sh || true; fi
	@$(BIN)/hexrecruit demo "$(DEMO_DIR)"
	@echo "make demo: done; look into $(DEMO_DIR)/"

# One process per core, each with its own screen; a process without tests left takes some from another.
PYTEST := $(TEST_ENV) scripts/with-display.sh $(BIN)/python -m pytest -n auto --dist worksteal

# Without tests that take many seconds; only one or two of each panel that open windows.
check: lint type
	@scripts/system-libs.sh
	@scripts/axe-core.sh $(VENV)/share/axe-core
	@$(PYTEST) -m "smoke or not (slow or window)" $(PYTEST_ARGS)
	@echo "make check: lint, types and fast tests passed"

test: lint type
	@scripts/system-libs.sh
	@scripts/axe-core.sh $(VENV)/share/axe-core
	@$(TEST_ENV) $(BIN)/npe2 validate --imports napari-hexrecruit
	@$(PYTEST) $(PYTEST_ARGS)
	@echo "make test: lint, types, manifest and tests passed"

# Tests of windows with late events and longer jobs: finds those that depend on timing.
slow-motion: $(VENV)/.check
	@scripts/system-libs.sh
	@$(PYTEST) -p tests.support.slow_motion tests/napari $(PYTEST_ARGS)

lint: $(VENV)/.check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@if command -v npx >/dev/null; then \
	    npx --yes oxlint@1.24.0 --quiet --deny-warnings src/napari_hexrecruit/render/web/assets; \
	else echo "make lint: no npx here, so the JavaScript of the web page was not checked" >&2; fi

type: $(VENV)/.check
	@$(BIN)/mypy

docs: $(VENV)/.docs
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "make docs: open docs/_build/html/index.html"

# One size only: make bench BENCH_ARGS=small
bench: $(VENV)/.check
	@$(BIN)/python -m benchmarks.bench_cube $(BENCH_ARGS)
	@$(BIN)/python -m benchmarks.bench_campaign $(BENCH_ARGS)
	@$(BIN)/python -m benchmarks.bench_analysis
	@$(BIN)/python -m benchmarks.bench_significance
	@$(BIN)/python -m benchmarks.bench_movie
	@scripts/system-libs.sh
	@$(BIN)/python -m benchmarks.bench_html
	@$(TEST_ENV) scripts/with-display.sh $(BIN)/python -m benchmarks.bench_layer
	@$(TEST_ENV) scripts/with-display.sh $(BIN)/python -m benchmarks.bench_traces

# Failures are kept in fuzz-failures/; to repeat one: .venv/bin/python -m tests.fuzz --repro FILE
fuzz: $(VENV)/.check
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --keep fuzz-failures $(FUZZ_ARGS)

# One part only: make reliability RELIABILITY_ARGS="--part kills --kills 500"
# The slow tests repeat their work often enough to find rare faults.
reliability: $(VENV)/.check
	@HEXRECRUIT_THOROUGH=1 $(PYTEST) -m slow $(PYTEST_ARGS)
	@$(BIN)/python scripts/reliability.py $(RELIABILITY_ARGS)
	@echo "make reliability: look at docs/reliability.md before committing"

# More maps of each kind: make calibrate CALIBRATE_ARGS="--sets 200"
calibrate: $(VENV)/.check
	@$(BIN)/python scripts/calibrate.py $(CALIBRATE_ARGS)
	@echo "make calibrate: look at docs/calibration.md before committing"

golden: $(VENV)/.check
	@$(BIN)/python tests/golden/regenerate.py
	@echo "make golden: look at tests/golden/ before committing"

gallery: $(VENV)/.check
	@$(BIN)/python scripts/gallery.py
	@echo "make gallery: look at docs/gallery.md before committing"

rooms: $(VENV)/.check
	@$(BIN)/python scripts/rooms.py

screenshots: $(VENV)/.check
	@$(TEST_ENV) scripts/with-display.sh $(BIN)/python scripts/screenshots.py
	@$(BIN)/python scripts/web_screenshots.py

build: $(VENV)/.check
	@$(BIN)/python -m build
	@echo "make build: wheel and sdist in dist/"
