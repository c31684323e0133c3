# Two commands: `make run` for a platform, `make test` for the proof.

PYTHON ?= python3
CONFIG ?= config/local/greyhub_config.py
VENV   ?= .venv
TEST   ?= $(VENV)-test
BIN     = $(TEST)/bin
UV      = .uv/bin/uv
NEEDS   = @sh requirements/prerequisites.sh $(PYTHON)

# Every time limit of the tests is multiplied by this: more for a machine that is slow.
export GREYHUB_TEST_PATIENCE ?= 3

# Python is the one that was asked for, and certificates are the system's, as pip's.
export UV_PYTHON_DOWNLOADS = never
export UV_SYSTEM_CERTS ?= true

.PHONY: run test walks test-all test-newest prepare mutants reports check format docs lock bench clean

run: $(VENV)/.ready  ## a platform on this machine, at http://127.0.0.1:8000
	$(VENV)/bin/jupyterhub -f $(CONFIG)

test: $(TEST)/.ready prepare  ## what every change is checked by, in ten minutes on two processors
	$(BIN)/python -m tests.suite

walks: $(TEST)/.ready prepare  ## the platform on the cluster that KUBECONFIG names, and its chart
	$(BIN)/python -m tests.suite --walks

test-all: $(TEST)/.ready $(VENV)-oldest/.ready prepare  ## every test there is, also on the oldest JupyterHub
	$(BIN)/python -m tests.suite --all --oldest $(VENV)-oldest/bin/python

test-newest: $(VENV)-newest/.ready prepare  ## what the newest releases break, whatever the lock says
	$(VENV)-newest/bin/python -m tests.newest requirements/test.txt

mutants: $(TEST)/.ready  ## broken adapters, each of which the conformance suite must catch
	$(BIN)/python -m greyhub.conformance mutants tests.conformance

reports: $(VENV)-strangers/.ready  ## greyhub's adapters and others' by the contracts: docs/conformance; takes long
	$(VENV)-strangers/bin/python -m tests.conformance.reports $(NAMES)

check: $(TEST)/.ready  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(TEST)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(TEST)/.ready  ## the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -n -q -d docs/_build/doctrees docs docs/_build/html

bench: $(TEST)/.ready  ## figures beside plain JupyterHub's
	$(BIN)/python -m bench.platform

prepare: $(TEST)/.ready
	@$(BIN)/python -m tests.support.prepare

clean:
	rm -rf .uv $(VENV) $(VENV)-test $(VENV)-oldest $(VENV)-newest $(VENV)-strangers docs/_build .mypy_cache .pytest_cache .ruff_cache

# Environments: each holds exactly what its lock file says, and greyhub itself, editable.

# Bytecode beforehand doubles the time and takes 200 MB: a platform of one's own does without, and
# root's cannot, since users may not write there.
BYTECODE = yes
$(VENV)/.ready: BYTECODE = $(filter 0,$(shell id -u))
$(VENV)/.ready: NEEDS += users
$(VENV)/.ready: requirements/platform.txt
$(TEST)/.ready: requirements/test.txt
$(VENV)-oldest/.ready: requirements/oldest.txt
$(VENV)-strangers/.ready: requirements/strangers.txt

$(VENV)/.ready $(TEST)/.ready $(VENV)-oldest/.ready $(VENV)-strangers/.ready: pyproject.toml | $(UV)
	$(NEEDS)
	$(UV) venv --quiet --clear --python $(PYTHON) $(@D)
	$(SYNC)
	$(if $(BYTECODE),$(SYNC) --quiet --compile-bytecode)
	$(UV) pip install --quiet --python $(@D) --no-deps --no-build-isolation --offline --editable .
	@touch $@

SYNC = $(UV) pip sync --python $(@D) --require-hashes $(filter %.txt,$^)

.PHONY: $(VENV)-newest/.ready
$(VENV)-newest/.ready: | $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) $(@D)
	$(UV) pip install --python $(@D) --upgrade --compile-bytecode --group build --editable '.[test]'

$(UV): requirements/uv.txt
	$(NEEDS)
	$(PYTHON) -m venv --clear .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< || { printf >&2 '%s\n' \
		"greyhub: pip could not install uv, and says why above" \
		"  fix: let this machine reach a package index: HTTPS_PROXY names a proxy, PIP_INDEX_URL and UV_DEFAULT_INDEX a mirror"; \
		exit 1; }
	@touch $@

UPGRADE ?= --upgrade
COMPILE = $(UV) pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: | $(UV)  ## the newest release of everything, into requirements/; with UPGRADE= only what is new in pyproject.toml
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) pyproject.toml --extra local --extra tutorial --group build -o requirements/platform.txt
	$(COMPILE) pyproject.toml --extra test --group build -o requirements/test.txt
	$(COMPILE) pyproject.toml requirements/hub.in --extra kubernetes -c requirements/test.txt -o requirements/hub.txt
	$(COMPILE) pyproject.toml --extra notebook -c requirements/test.txt -o requirements/notebook.txt
	$(COMPILE) requirements/proxy.in -c requirements/test.txt -o requirements/proxy.txt
	$(COMPILE) pyproject.toml --extra test --group build -c requirements/oldest.in -o requirements/oldest.txt
	$(COMPILE) pyproject.toml --extra test --extra strangers --group build -o requirements/strangers.txt
