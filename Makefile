# make demo  - install and score the shipped sample visits; ends with a report
# make test  - install everything the tests need and pass them
# make test-portal - the portal in a browser, on PostgreSQL and through a backup
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PORTAL_SLOW = pages_in_a_browser backup bad_files commands migrations queue
ALL_EXTRAS = parquet,train,phantom,portal,exchange,dev

.PHONY: demo test test-portal test-all check bench clean

demo: $(VENV)/.core
	$(BIN)/pasi-vision demo --out demo-report

test: $(VENV)/.all
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

# The portal's slow tests that end within two minutes; what is not installed is skipped with its reason.
test-portal: $(VENV)/.all
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow $(addprefix tests/portal/test_,$(PORTAL_SLOW:=.py))

test-all: $(VENV)/.all
	$(BIN)/python -m pytest -q -m "not gpu"

check: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/docs tests/test_architecture.py

bench: $(VENV)/.all
	@for script in scripts/bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed, this is ' + sys.version.split()[0] if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	@touch $@

$(VENV)/.all: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e ".[$(ALL_EXTRAS)]"
	@touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) demo-report
