# make demo | make test: each sets up what it needs. make help lists the rest.
SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach python,python3.11 python3.12,$(shell command -v $(python) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.9

# The CPU build of torch comes from PyTorch's own wheel index, unless a folder of wheels is named (PIP_FIND_LINKS).
ifneq ($(or $(UV_FIND_LINKS),$(PIP_FIND_LINKS)),)
export UV_FIND_LINKS := $(or $(UV_FIND_LINKS),$(PIP_FIND_LINKS))
endif
TORCH := $(if $(UV_FIND_LINKS),,--torch-backend=cpu)
# tcmalloc speeds vLLM up on the CPU where it is installed; nothing needs it.
TCMALLOC := $(shell ldconfig -p 2>/dev/null | awk '/libtcmalloc(_minimal)?\.so\.4 /{print $$NF; exit}')
RUN := $(if $(TCMALLOC),LD_PRELOAD=$(TCMALLOC) )$(BIN)/python

.PHONY: help setup demo test train evaluate lock clean

help:
	@echo "make demo      set up, sweep two routers on the built-in model; ends with a table and a figure"
	@echo "make test      set up, check style and types, run all tests"
	@echo "make setup     only set up ($(VENV)); quick when nothing changed"
	@echo "make train     train the built-in model anew; make evaluate measures it"
	@echo "make lock      pin requirements/cpu.in again"
	@echo "make clean     remove $(VENV) and caches; runs/ stays"

setup: $(READY)

$(READY): requirements/cpu.txt pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "error: Python 3.11 or 3.12 is needed; set PYTHON=/path/to/python3.11" >&2; exit 2; fi
	@echo "setting up $(VENV) with $(PYTHON) (about 1 GB to fetch the first time) ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(TORCH) -r requirements/cpu.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
	@echo "set up: $(VENV)"

demo: setup
	@echo "sweeping LeaP with two routers, and independent sampling, on the built-in model ..."
	@$(RUN) -m leap_lab.run -m router=clustered,dispersed

test: setup
	@echo "style (ruff) ..." && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "types (mypy) ..." && $(BIN)/mypy
	@echo "tests (pytest; those at the end decode on vLLM) ..."
	@$(RUN) -m pytest
	@echo "All checks passed. Look next at tests/test_leap.py, which follows one LeaP group token by token."

train: setup
	$(RUN) -m leap_lab.training.pretrain --out leap_lab/assets/tiny

evaluate: setup
	$(RUN) -m leap_lab.training.evaluate --model leap_lab/assets/tiny

lock: setup
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --python-version 3.11 $(TORCH) requirements/cpu.in \
	  | sed -E '/^torch(vision|audio|codec)==/d; /^--/d' > requirements/cpu.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
