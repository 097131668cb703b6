# Two commands are all it takes: `make book` and `make test`. Each sets up .venv itself.
PYTHON ?= python3
BIN := .venv/bin
# Colab runs Python 3.13; its environment is tested with that if it is here
COLAB_PYTHON ?= $(shell python3.13 -c '' 2>/dev/null && echo python3.13 || echo $(PYTHON))
# as many as there are cores: make test WORKERS=4. One thread each, or they wait for one another
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist worksteal
BIOME := tools/js/node_modules/.bin/biome ci --config-path=tools/js ppo_helpers/live _static/*.js _ext/*.js tests/live/look.js
export JUPYTER_PREFER_ENV_PATH := 1
# everybody gets the small model and so the same numbers, whatever is cached; `make lab` takes the real one if it can
book test check bench mutants sweeps: export PPO_BOOK_GPT2 ?= tiny
HELPERS := $(shell find ppo_helpers -type f -not -path '*/__pycache__/*')

.PHONY: book lab test check bench lint mutants sweeps address clean

book: .venv/ready _build/helpers
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html"

lab: .venv/ready
	ANYWIDGET_HMR=1 $(BIN)/jupyter lab chapters  # a figure whose .js is saved shows it at once

test: .venv/ready .venv-colab/ready
	$(PYTEST)

check: lint
	$(PYTEST) -p no:nbmake -m "not slow and not browser" tests

bench: .venv/ready .venv-trl/ready
	$(BIN)/python -m benchmarks

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/nbstripout --keep-id --verify chapters/*.ipynb
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory tools/js/node_modules && $(BIOME); \
	else echo "npm is not here: the figures' JavaScript and CSS were not looked at"; fi

mutants: .venv/ready
	$(BIN)/python -m pip install --quiet -r tests/mutants/requirements.txt
	OMP_NUM_THREADS=1 $(BIN)/mutmut run  # every mutant is a fork, and a fork's threads wait for ever for the parent's

sweeps: .venv/ready
	for sweep in unseen_cells forty_epochs ablation cartpole twenty_texts rlhf policies; do \
	OMP_NUM_THREADS=1 $(BIN)/python -m sweeps.$$sweep || exit 1; done

address:
	$(PYTHON) tools/address.py "$(REPO)"

clean:
	rm -rf _build build mutants .venv .venv-colab .venv-trl tools/js/node_modules *.egg-info .hypothesis .*_cache

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else "The book needs Python 3.11 to 3.13: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

tools/js/node_modules: tools/js/package.json
	npm install --prefix tools/js --no-package-lock --no-audit --no-fund --silent
	touch $@

.venv-colab/ready: tests/colab/requirements.txt pyproject.toml
	$(COLAB_PYTHON) -m venv .venv-colab
	.venv-colab/bin/python -m pip install --quiet -r tests/colab/requirements.txt
	.venv-colab/bin/python -m pip install --quiet -e .
	touch $@

.venv-trl/ready: benchmarks/trl/requirements.txt
	$(PYTHON) -m venv .venv-trl
	.venv-trl/bin/python -m pip install --quiet -r benchmarks/trl/requirements.txt
	touch $@

# The execution cache looks at cells only: drop it when the helpers they call have changed.
_build/helpers: $(HELPERS) requirements.txt
	rm -rf _build/.jupyter_cache _build/.doctrees
	mkdir -p _build && touch $@
