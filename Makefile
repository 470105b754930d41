# What a user runs: `make demo`, `make test`, `make lint`. Everything installs itself into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
ARGS ?=
# Two tests at a time; what shares a run of the workflow stays together (tests/conftest.py).
SIDE_BY_SIDE := --numprocesses 2 --dist loadgroup --no-loadscope-reorder

.PHONY: demo test test-full lint format schema resume environment data icon-models clean help

help:
	@echo "make demo    environment, data, the default workflow, the report"
	@echo "make test    environment, every test that can run here, but for those marked as full"
	@echo "make test-full  those too: each rule broken, further killed runs and a dead node, minutes more"
	@echo "make lint    ruff, mypy, snakefmt, snakemake --lint"
	@echo "make resume  unlock after a killed run and go on with it (ARGS=\"--configfile presets/digits.yaml\")"
	@echo "make icon-models  train the models in assets/icons anew (an hour or two)"
	@echo "make clean   delete results and Snakemake's records"

environment: $(VENV)/.installed

# The package itself is installed as it stands here (editable), without further dependencies: the lock has them all.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

# Icons go into the user's cache; without them the workflow itself says what to do. Debian's package is the fastest
# source of Fashion-MNIST; without it the workflow lets torchvision download it.
data: environment
	-@$(BIN)/python -P workflow_scripts/run_entry_point.py real_images.icons.install
	@test -d /usr/share/datasets/fashion-mnist || { \
	  command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	  apt-get update -qq && apt-get install -y -qq dataset-fashion-mnist; } || \
	  echo "Debian's package dataset-fashion-mnist is not installed: torchvision will download Fashion-MNIST"

demo: environment data
	$(BIN)/snakemake --cores $(CORES)
	@echo "the report: $(CURDIR)/results/demo/report/index.html"

resume: environment
	$(BIN)/snakemake --unlock $(ARGS)
	$(BIN)/snakemake --cores $(CORES) $(ARGS)

test: environment data
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-full: environment data
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "full or not full"

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: environment
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

schema: environment
	$(BIN)/python -c 'from pathlib import Path; from workflow_scripts.planning.configuration import write_schema; write_schema(Path("config.schema.json"))'

# Trains the models that come along in assets/icons anew, an hour or two on two cores, and puts them there.
icon-models: environment data
	$(BIN)/snakemake --cores $(CORES) --configfile presets/icons-pretraining.yaml
	for model in clip generator judge; do \
	  $(BIN)/python -P workflow_scripts/run_entry_point.py models.halve_checkpoint --output assets/icons/$$model \
	    --manifest "$$(ls -t results/shared/models/icon-$$model-*/manifest.json | head -n 1)" || exit 1; \
	done
	$(BIN)/python -P workflow_scripts/run_entry_point.py real_images.icons.list_seen --output assets/icons/seen.txt \
	  --prepared "$$(ls -t results/shared/prepared/icons-*.parquet | head -n 1)"

clean:
	rm -rf results .snakemake
