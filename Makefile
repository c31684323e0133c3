# Two commands: `make run` for a platform, `make test` for the proof.

PYTHON ?= python3
VENV   ?= .venv
CONFIG ?= config/local/greyhub_config.py
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready

.PHONY: run test test-hub5 mutants reports check format docs bench browser clean

run: $(READY)  ## a platform on this machine, at http://127.0.0.1:8000
	$(BIN)/jupyterhub -f $(CONFIG)

test: $(READY) browser  ## every test, on the newest JupyterHub and on the oldest
	$(BIN)/python -m tests.suite --venv $(VENV)

mutants: $(READY)  ## broken adapters, each of which the conformance suite must catch
	$(BIN)/python -m greyhub.conformance mutants --patience 3 tests.conformance

reports: $(READY)  ## greyhub's adapters and others' by the contracts: docs/conformance; takes long
	$(BIN)/pip install --quiet --constraint tests/constraints.txt --editable '.[test,strangers]'
	$(BIN)/python -m tests.conformance.reports $(NAMES)

check: $(READY)  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## figures beside plain JupyterHub's
	$(BIN)/python -m bench.platform

browser:
	@$(BIN)/python -m tests.browser

clean:
	rm -rf $(VENV) $(VENV)-hub5 .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint tests/constraints.txt --editable '.[test]'
	@touch $@
