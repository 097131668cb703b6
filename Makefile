# Two commands are all it takes: `make book` and `make test`. Each sets up .venv itself.
PYTHON ?= python3
BIN := .venv/bin
# Colab runs Python 3.13; its environment is tested with that if it is here
COLAB_PYTHON ?= $(shell python3.13 -c '' 2>/dev/null && echo python3.13 || echo $(PYTHON))
export JUPYTER_PREFER_ENV_PATH := 1
HELPERS := $(shell find ppo_helpers -name '*.py' -o -name '*.js' -o -name '*.css')

.PHONY: book lab test bench lint publish clean

book: .venv/ready _build/helpers
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html"

lab: .venv/ready
	$(BIN)/jupyter lab chapters

# two workers on two cores: one thread each, or they wait for one another
test: .venv/ready .venv-colab/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

bench: .venv/ready
	$(BIN)/python -m benchmarks

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/nbstripout --keep-id --verify chapters/*.ipynb

publish: .venv/ready
	$(BIN)/python _ext/publish.py "$(REPO)"

clean:
	rm -rf _build .venv .venv-colab

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else "The book needs Python 3.11 to 3.13: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv-colab/ready: tests/colab/requirements.txt pyproject.toml
	$(COLAB_PYTHON) -m venv .venv-colab
	.venv-colab/bin/python -m pip install --quiet -r tests/colab/requirements.txt
	.venv-colab/bin/python -m pip install --quiet -e .
	touch $@

# The execution cache looks at cells only: drop it when the helpers they call have changed.
_build/helpers: $(HELPERS) requirements.txt
	rm -rf _build/.jupyter_cache _build/.doctrees
	mkdir -p _build && touch $@
