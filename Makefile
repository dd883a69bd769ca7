# Everything is done in .venv, with the versions of requirements.lock. Paths are relative, and tools are called as
# modules, so that a folder with spaces or accents in its name is as good as any.
PYTHON ?= python3
IN := .venv/bin/python -m

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup run docs student nbgrader slides test test-unit test-system test-results test-notebooks test-portable test-lowest test-latest lab data lint format bench lock clean

help: ## list these targets
	@echo 'make TARGET [PYTHON=python3.12], where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

setup: .venv/.installed ## make .venv with the locked versions of everything (once; other targets do it themselves)

.venv/.installed: requirements.lock setup.cfg tools/installer.txt
	@command -v '$(PYTHON)' >/dev/null || { echo 'error: there is no $(PYTHON) here; install Python 3.11, 3.12 or 3.13, or say make PYTHON=...' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "error: Python 3.11, 3.12 or 3.13 is needed, but $(PYTHON) is $$('$(PYTHON)' -V 2>&1); say for instance make PYTHON=python3.12" >&2; exit 1; }
	@echo 'Making .venv with the locked packages, about 3 GB: half a minute, or a few with a slow network.'
	@'$(PYTHON)' -m venv .venv
	@$(IN) pip install --quiet --disable-pip-version-check --require-hashes -r tools/installer.txt
	@.venv/bin/python tools/install.py
	@touch .venv/.installed

run: setup ## execute all notebooks and build the site from them: build/html/index.html
	$(IN) tools.run

docs: setup ## build the site from the results that are stored in the notebooks, in a minute
	$(IN) tools.site

student: setup ## write build/student, to hand out: no solutions, no results; what was changed there stays
	$(IN) tools.student

nbgrader: setup ## write build/nbgrader, assignments for nbgrader; as in make nbgrader NOTEBOOK='03 04' SEED=2027
	$(IN) tools.assignments $(NOTEBOOK) $(if $(SEED),--seed $(SEED))

slides: setup ## write build/slides: lessons as slides; with make slides NOTEBOOK=04 only that one
	$(IN) tools.slides $(NOTEBOOK)

test: COVERAGE := --cov --cov-report=term
test: lint test-unit test-system test-results test-notebooks ## run every check and test, and show which lines the unit tests leave out

test-unit: setup ## run the unit tests, in three minutes
	$(IN) pytest tests -m 'not system' --ignore=tests/test_results.py --numprocesses=2 $(COVERAGE)

test-system: setup ## run the tests that start other programs: kernels, browsers, installers, processes that are killed
	$(IN) pytest tests -m system --numprocesses=2 --dist=loadfile $(patsubst --cov,--cov --cov-append,$(COVERAGE))

test-results: setup ## hold the leaderboard to the stored networks: compute every row again
	MNIST_RECOMPUTE=all $(IN) pytest tests/test_results.py

test-notebooks: setup ## execute all notebooks as tests, small budgets, and compare their stored outputs
	$(IN) pytest notebooks

# four kinds of machine; the test modules in which a processor can make a difference
SETTINGS := AS_IT_IS=1 TF_ENABLE_ONEDNN_OPTS=0 ONEDNN_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=SSE41
NUMERICAL := tests/data/test_shifts.py tests/models tests/evaluation tests/training tests/explain
PORTABLE := --quiet --numprocesses=2 --dist=load -k 'not test_keys and not test_store and not test_repeats and not killed and not kernels'
test-portable: setup ## run the numerical tests as if on four kinds of processor
	@for setting in $(SETTINGS); do \
		echo "$$setting"; env "$$setting" $(IN) pytest $(NUMERICAL) $(PORTABLE) || exit; \
	done

test-lowest: setup ## run the unit tests with the lowest versions that setup.cfg allows (3 GB in build/lowest)
	.venv/bin/python tools/install.py lowest build/lowest
	build/lowest/bin/python -m pytest tests --ignore=tests/setup --numprocesses=2 --dist=loadfile

test-latest: setup ## run the unit tests with the newest releases, allowed or not (3 GB in build/latest)
	.venv/bin/python tools/install.py latest build/latest
	-$(IN) uv pip check --python build/latest
	build/latest/bin/python -m pytest tests --ignore=tests/setup --numprocesses=2 --dist=loadfile

lint: setup ## check the style with ruff, types with mypy, and docstrings with numpydoc
	$(IN) ruff check
	$(IN) ruff format --check
	$(IN) mypy
	$(IN) numpydoc lint $$(find mnist_helpers -name '*.py' -not -path '*/exercises/*')

format: setup ## correct what ruff can correct by itself
	$(IN) ruff check --fix
	$(IN) ruff format

lab: setup ## open the series in JupyterLab
	$(IN) jupyterlab notebooks

data: setup ## fetch MNIST now, and say where it lies
	$(IN) mnist_helpers data

bench: setup ## measure speed and memory (tests/benchmarks); writes build/bench.json
	$(IN) tests.benchmarks

lock: ## resolve requirements.lock anew from setup.cfg (needs uv)
	@command -v uv >/dev/null || { echo 'error: make lock needs uv on the PATH: https://docs.astral.sh/uv/' >&2; exit 1; }
	printf 'setuptools >= 77\n' | uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --no-strip-extras --extra docs --extra test setup.cfg - -o requirements.lock
	printf 'uv\n' | uv pip compile --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header - -o tools/installer.txt

clean: ## remove build/, save what is handed out from there, and caches; keeps MNIST and all that was trained
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name student ! -name nbgrader -exec rm -rf {} +; fi
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
	find docs mnist_helpers notebooks tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
