# From nothing but Python 3.11, 3.12 or 3.13 and make. `make help` lists what can be asked.

PYTHON  ?= python3
WORKERS ?= logical
ARGS    ?=
COVER   ?=

UV      := .tools/venv/bin/uv
PY      := .venv/bin/python
CALIB   := .venv/bin/calib
# one thread each: the matrices are small, and the tests themselves run side by side; what was
# compiled is kept for the next run
PYTEST  := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest
# one stamp per Python version: another PYTHON= makes another environment
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
STAMP   := .venv/ready-$(VERSION)
SPREAD  := --numprocesses=$(WORKERS) --maxprocesses=4 --dist=worksteal
# uv does not read pip's settings: a lab behind a mirror has named it to pip already
MIRROR  := index="$${PIP_INDEX_URL:-$$($(PYTHON) -m pip config get global.index-url 2>/dev/null || true)}"; \
	   if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"; fi
SUITED  := $(PYTHON) -c 'import sys; v = sys.version_info[:2]; ok = (3, 11) <= v < (3, 14); \
	   sys.exit(0 if ok else "Calib needs Python 3.11 to 3.13, got %d.%d: make PYTHON=python3.12" % v)'

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check fmt lint types imports test-rest test-pg test-browser pictures nightly \
	cover docs lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Make .tools and .venv from the hash-locked requirements

$(UV):
	@$(SUITED)
	@$(PYTHON) -m venv --clear .tools/venv || { \
	  echo "Python cannot make a virtual environment: install python3-venv, then ask again."; exit 1; }
	@# uv itself is held to the hashes of the same lock
	awk '/^[a-z]/ {keep = /^uv==/} keep' requirements.lock > .tools/uv.lock
	.tools/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --require-hashes --requirement .tools/uv.lock
	@touch $(UV)

$(STAMP): $(UV) requirements.lock pyproject.toml
	@$(SUITED)
	@test -x $(PY) && test -e $(STAMP) || $(UV) venv --quiet --clear --python "$(PYTHON)" .venv
	@$(MIRROR); $(UV) pip sync --quiet --python $(PY) --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: setup ## Build the demo world once and serve it; prints the address
	$(CALIB) demo --folder demo-world

demo: setup ## Build the demo world anew and serve it
	$(CALIB) demo --folder demo-world --fresh

test: setup ## Run the tests; what takes long is left to test-pg, test-rest and check
	$(PYTEST) $(SPREAD) -m "not slow and not kill and not browser and not pg and not nightly" \
	  --ignore=tests/house $(COVER) --durations=10 $(ARGS)

test-rest: setup ## Run what takes long: kills and races, the browser, whole worlds
	$(PYTEST) $(SPREAD) -m "(slow or kill or browser) and not nightly" $(COVER) --durations=10 $(ARGS)

check: setup ## Format, lint, types, import rules and the rules of the house
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PYTEST) tests/house -q

fmt: setup ## Format, and fix what can be fixed safely
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lint: setup ## Lint
	$(PY) -m ruff check .

types: setup ## Check types
	$(PY) -m mypy

imports: setup ## Check the twelve import rules
	.venv/bin/lint-imports

test-pg: setup ## Run the same tests of the database on PostgreSQL
	$(PYTEST) $(SPREAD) -m "pg and not slow and not kill and not nightly" $(COVER) $(ARGS)

test-browser: setup ## Run the tests in a real browser
	$(PYTEST) $(SPREAD) -m browser $(ARGS)

pictures: setup ## Make the pictures of the guides (docs/guides) anew
	GUIDE_PICTURES=1 $(PYTEST) tests/browser/test_guides.py -q

nightly: check cover ## Everything, and what takes hours (docs/operate/checks.md)
	$(PYTEST) $(SPREAD) -m nightly --durations=20 $(ARGS)

cover: ## Run all tests and show uncovered lines; the engine and the evaluation allow none
	rm -f .coverage .coverage.*
	$(MAKE) --no-print-directory test COVER="--cov --cov-report="
	$(MAKE) --no-print-directory test-pg COVER="--cov --cov-append --cov-report="
	$(MAKE) --no-print-directory test-rest COVER="--cov --cov-append --cov-report="
	$(PY) -m coverage report
	$(PY) -m coverage report --include='calib/engine/*,calib/evaluation/*' --fail-under=100

docs: setup ## Write errors, labels and the tables of rights from the source
	$(PY) -m tests.house.codes
	$(PY) -m tests.house.labels
	$(PY) -m tests.house.rights
	$(PY) -m tests.house.matrix
	$(PY) -m tests.support.fields_seen

lock: $(UV) ## Bring requirements.lock up to pyproject.toml (ARGS=--upgrade: newest versions)
	@$(MIRROR); $(UV) pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url \
	  --no-header --universal --python-version 3.11 --quiet $(ARGS) -o requirements.lock

clean: ## Remove what can be made again (not the demo world)
	rm -rf .tools .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis \
	  .coverage .coverage.* htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
