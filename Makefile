# The commands of the project. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
LOCK := pyproject.toml --universal --python-version 3.11 --no-annotate --upgrade \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run setup beam dev test lint format bench golden lock clean

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

beam: setup  ## Adds Apache Beam to .venv, for python data_gen --runner=...
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check apache-beam -c requirements-dev.lock

dev: $(DEV_READY)  ## Adds what tests, linters and measurements need, Beam too, to .venv

$(DEV_READY): $(READY) requirements-dev.lock
	@echo "installing requirements-dev.lock into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $(DEV_READY)

test: dev lint  ## Linters and every test
	@$(BIN)/python -m pytest

lint: dev  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: dev  ## Formats the code, and mends what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: dev  ## The measurements of benchmarks/RESULTS.md, one after the other: an hour and more
	@$(BIN)/python benchmarks/render_speed.py --small=10000 --large=500000
	@$(BIN)/python benchmarks/render_stages.py
	@$(BIN)/python benchmarks/render_fidelity.py
	@$(BIN)/python benchmarks/cross_reading.py --config=configs/quick.flags --n_read=20000
	@test -d captcha_data || $(BIN)/python data_gen --n 50000
	@$(BIN)/python benchmarks/training_run.py --name=quick --n_fresh=20000 -- --flagfile=configs/quick.flags
	@$(BIN)/python benchmarks/training_run.py --name=captcha --n_fresh=20000 -- --flagfile=configs/captcha.flags
	@$(BIN)/python benchmarks/book_network.py --steps=1000
	@$(BIN)/python benchmarks/step_time.py
	@$(BIN)/python benchmarks/learning_warnings.py
	@$(BIN)/python benchmarks/sanity_check.py
	@$(BIN)/python benchmarks/estimator_rounds.py
	@$(BIN)/python benchmarks/scaling_estimate.py
	@$(BIN)/python benchmarks/input_speed.py
	@test -d exports/captcha || $(MAKE) run
	@$(BIN)/python benchmarks/read_fresh.py --n=20000 --record
	@$(BIN)/python benchmarks/read_fresh.py --n=20000 --record --renderer=captcha

golden: dev  ## Writes tests/golden anew: commit it alone and say why
	@$(BIN)/python tests/golden/rewrite.py

lock: setup  ## Writes both lock files anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@# Everything first, so that what all of it agrees on is what the smaller lock holds too.
	@$(BIN)/uv pip compile --quiet $(LOCK) --group dev --extra beam -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet $(LOCK) --constraint requirements-dev.lock -o requirements.lock

clean:  ## Removes the environment and caches; keeps data, models and exports
	@rm -rf $(VENV) .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
