# The commands of the project. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run setup test lint format bench golden lock clean

help:  ## This list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

run: setup  ## All of it: 50,000 captchas, training, export, and the export reading 1,000 fresh ones
	@$(BIN)/python benchmarks/whole_chain.py

setup: $(READY)  ## .venv with the exact versions of requirements.lock

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else "error: Python 3.11, 3.12 or 3.13 is needed, received %d.%d. Name another: make PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo "error: this Python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing requirements.lock into $(VENV), which takes a few minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $(READY)

test: setup lint  ## Linters and every test
	@$(BIN)/python -m pytest

lint: setup  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup  ## Formats the code, and mends what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup  ## The measurements of benchmarks/RESULTS.md, one after the other: an hour and more
	@$(BIN)/python benchmarks/render_speed.py --small=50000 --large=500000
	@test -d captcha_data || $(BIN)/python data_gen --n 50000
	@$(BIN)/python benchmarks/training_run.py --name=quick -- --flagfile=configs/quick.flags
	@$(BIN)/python benchmarks/training_run.py --name=captcha -- --flagfile=configs/captcha.flags
	@$(BIN)/python benchmarks/book_network.py --steps=1000
	@$(BIN)/python benchmarks/step_time.py
	@$(BIN)/python benchmarks/input_speed.py
	@test -d exports/captcha || $(MAKE) run
	@$(BIN)/python benchmarks/read_fresh.py --n=5000 --record
	@$(BIN)/python benchmarks/read_fresh.py --n=5000 --record --renderer=captcha

golden: setup  ## Writes tests/golden anew: commit it alone and say why
	@$(BIN)/python tests/golden/rewrite.py

lock: setup  ## Writes requirements.lock anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --universal --python-version 3.11 --group dev pyproject.toml \
		--no-annotate --custom-compile-command "make lock" --upgrade -o requirements.lock

clean:  ## Removes the environment and caches; keeps data, models and exports
	@rm -rf $(VENV) .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
