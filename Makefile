# `make demo` and `make test` need nothing but Python 3.11 or newer and make.
# VENV=DIR reuses an environment; PYTHON=... chooses the interpreter that makes a new one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.mmvireid-$(shell (pwd; cat setup.py pyproject.toml) | cksum | cut -d' ' -f1)
# What searching, the page and their tests need besides, and what the documentation does.
INSTALLED_ALL := $(INSTALLED)-tests-all
INSTALLED_DOCS := $(INSTALLED)-docs
CONFIG := configs/dgvae/dgvae_synthetic.py
OUT := work_dirs/demo
# Processes that share the tests; who is done first takes tests of the others.
JOBS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
TRAIN := OMP_NUM_THREADS=1 $(BIN)/python tools/train.py
SHIP := $(BIN)/python tools/model_converters/ship_weights.py
# What `make quick` compares with.
SINCE ?= HEAD

.PHONY: demo web weights test quick lint format docs clean help

help:  ## show what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/\t/'

demo: $(INSTALLED)  ## render data, train DG-VAE, evaluate it, draw ranked lists (about 7 minutes)
	@$(BIN)/python tools/demo.py $(CONFIG) --out $(OUT)

web: $(INSTALLED_ALL) $(OUT)/features.npz  ## a page in the browser: search the demo's people with its model
	@[ ! $(OUT)/gallery.db -ot $(OUT)/last_checkpoint ] || rm -rf $(OUT)/gallery.db  # another model's
	@$(BIN)/python tools/gallery.py add $(OUT)/gallery.db $(CONFIG) $$(cat $(OUT)/last_checkpoint) \
	    --split test --modality visible
	@$(BIN)/python tools/web.py --gallery $(OUT)/gallery.db --features $(OUT)/features.npz \
	    $(CONFIG) $$(cat $(OUT)/last_checkpoint)

$(OUT)/features.npz:
	@$(MAKE) demo

weights: $(INSTALLED)  ## make the weights that come with the package again (about an hour)
	@$(TRAIN) configs/pretrain/resnet18_rendered.py && $(TRAIN) configs/pretrain/vgg16_rendered.py
	@$(SHIP) work_dirs/resnet18_rendered/epoch_10.pth resnet18_rendered --take extractor.stages.
	@$(SHIP) work_dirs/vgg16_rendered/epoch_10.pth vgg16_rendered --take extractor. --add features.

test: $(INSTALLED_ALL) lint  ## run the test suite
	@$(PYTEST)

quick: $(INSTALLED_ALL) lint  ## run the tests of the files that differ from the last commit (SINCE=...)
	@tests=$$($(BIN)/python .ci/quick.py $(SINCE)) && $(PYTEST) $$tests

lint: $(INSTALLED)  ## check style and imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache --no-logo

format: $(INSTALLED)  ## mend style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

docs: $(INSTALLED_DOCS)  ## build the documentation, docs/_build/index.html; warnings are errors
	@OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -q -W --keep-going -j $(JOBS) docs docs/_build
	@echo 'docs/_build/index.html'

$(INSTALLED): setup.py pyproject.toml
	@test -x $(BIN)/python || \
	    { $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	      { echo 'Python 3.11 to 3.13 is needed: make $(MAKECMDGOALS) PYTHON=python3.11'; exit 1; }; \
	      $(PYTHON) -m venv $(VENV); }
	@echo 'Installing mmvireid and what it needs into $(VENV) (minutes, once) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[tests]'
	@rm -f $(VENV)/.mmvireid-* && touch $@

$(INSTALLED)-%: $(INSTALLED)
	@echo 'Installing the extra $* into $(VENV) (once) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@

clean:  ## remove what runs left behind (not the environment)
	rm -rf work_dirs build dist docs/_build docs/_made mmvireid.egg-info
