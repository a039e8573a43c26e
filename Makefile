# The commands of the project. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
LOCK := pyproject.toml --universal --python-version 3.11 --no-annotate --upgrade \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run setup beam dev test lint format bench bench-full golden lock clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

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

test: dev lint  ## Linters and every test, on all cores
	@$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist=worksteal

lint: dev  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: dev  ## Formats the code, and mends what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: export BENCH_SHORT := 1
bench: dev  ## Short measurements, under 20 minutes on 2 cores that do nothing else, and their plots
	@test -d captcha_data || $(BIN)/python data_gen --n 50000
	@rm -rf runs/bench && mkdir -p runs/bench
	@$(BIN)/python data_gen --n 10000 --out=runs/bench/data
	@$(BIN)/python benchmarks/render_speed.py
	@$(BIN)/python benchmarks/render_stages.py
	@$(BIN)/python benchmarks/render_fidelity.py --n=1000 --n_same=500
	@$(BIN)/python benchmarks/input_speed.py --data_dir=runs/bench/data --rounds=2
	@$(BIN)/python benchmarks/training_run.py --name=quick --n_fresh=5000 --keep=runs/bench/quick -- --flagfile=configs/quick.flags
	@$(BIN)/python benchmarks/reading_speed.py --model_dir=runs/bench/quick --n=300 --files=1000 --rounds=1 --readers=tflite_float32,tflite_int8_full
	@$(BIN)/python benchmarks/step_profile.py --rounds=3
	@$(BIN)/python benchmarks/against_fit.py --flagfile=configs/quick.flags --rounds=3 --steps=20 --num_png=5000
	@$(BIN)/python benchmarks/start_up.py --rounds=2
	@$(BIN)/python benchmarks/growth.py --parts=n --n=1000,4000,16000
	@$(BIN)/python benchmarks/sanity_check.py --seeds=2 --noothers
	@$(BIN)/python benchmarks/peers.py --minutes=0.75 --peers=ours,captcha_tensorflow --ours=configs/quick.flags
	@$(BIN)/python benchmarks/plots.py

bench-full: dev  ## All measurements of benchmarks/RESULTS.md, whole, and their plots: eight hours
	@test -d captcha_data || $(BIN)/python data_gen --n 50000
	@test -d models/captcha -a -d exports/captcha || $(MAKE) run
	@$(BIN)/python benchmarks/render_speed.py --small=10000 --large=500000
	@$(BIN)/python benchmarks/render_stages.py
	@$(BIN)/python benchmarks/render_fidelity.py
	@$(BIN)/python benchmarks/input_speed.py
	@$(BIN)/python benchmarks/step_time.py
	@$(BIN)/python benchmarks/step_profile.py
	@$(BIN)/python benchmarks/against_fit.py --flagfile=configs/quick.flags
	@$(BIN)/python benchmarks/start_up.py
	@$(BIN)/python benchmarks/growth.py
	@$(BIN)/python benchmarks/reading_speed.py --model_dir=models/captcha
	@$(BIN)/python benchmarks/read_fresh.py --n=20000 --record
	@$(BIN)/python benchmarks/read_fresh.py --n=20000 --record --renderer=captcha
	@$(BIN)/python benchmarks/training_run.py --name=quick --n_fresh=20000 -- --flagfile=configs/quick.flags
	@$(BIN)/python benchmarks/training_run.py --name=captcha --n_fresh=20000 -- --flagfile=configs/captcha.flags
	@$(BIN)/python benchmarks/training_run.py --name=live --n_fresh=20000 -- --flagfile=configs/live.flags
	@$(BIN)/python benchmarks/training_run.py --name=best --n_fresh=20000 -- --flagfile=configs/best.flags
	@$(BIN)/python benchmarks/training_run.py --name=wide_style --style=wide --n_fresh=20000 -- --flagfile=configs/live.flags --data_dir='live:wide?seed=0' --budget_minutes=0 --max_steps=4500 --label_smoothing_until_step=4100
	@$(BIN)/python benchmarks/training_run.py --name=mixed_length --style=mixed-length --n_fresh=20000 -- --flagfile=configs/live.flags --net=attention_small --data_dir='live:mixed-length?seed=0'
	@$(BIN)/python benchmarks/cross_reading.py --config=configs/quick.flags --n_read=20000
	@$(BIN)/python benchmarks/book_network.py --steps=1000
	@$(BIN)/python benchmarks/learning_warnings.py
	@$(BIN)/python benchmarks/sanity_check.py
	@$(BIN)/python benchmarks/estimator_rounds.py
	@$(BIN)/python benchmarks/scaling_estimate.py
	@$(BIN)/python benchmarks/peers.py --minutes=30
	@for idea in $$($(BIN)/python benchmarks/ideas.py --list | cut -d' ' -f1); do $(BIN)/python benchmarks/ideas.py --ideas=$$idea || exit 1; done
	@$(BIN)/python benchmarks/ideas.py --ideas=base,relu,large_heads,relu_large_heads --style=letters --steps=600
	@test -d runs/few || $(BIN)/python data_gen --n 15000 --n_test 500 --out=runs/few
	@$(BIN)/python benchmarks/ideas.py --ideas=base,dropout_half,no_dropout,dots,slightly_elastic --data_dir=runs/few --steps=2100
	@$(BIN)/python benchmarks/plots.py

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
