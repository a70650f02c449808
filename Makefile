# The verbs of the course. Each sets up what it needs in .venv first.
PYTHON ?= python3
PROFILE ?= smoke
JOBS ?= 1
WORKERS ?= 1
SEEDS ?= 3
BIN := .venv/bin

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: course test lab notebooks evidence sweeps bench module judges clean

course: .venv/ready  ## run every chapter and leave notebooks, a page and a table in build/
	$(BIN)/python -m gancourse run --profile $(PROFILE) --jobs $(JOBS)

test: .venv/ready  ## lint and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

lab: .venv/ready  ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

notebooks: .venv/ready  ## make the notebooks from their sources and check them
	$(BIN)/python -m gancourse build
	$(BIN)/python -m gancourse check

evidence: .venv/ready  ## run every chapter with SEEDS seeds at PROFILE=lesson and write notebooks/expected.yml
	$(BIN)/python -m gancourse evidence --seeds $(SEEDS) --profile $(if $(filter smoke,$(PROFILE)),lesson,$(PROFILE))

sweeps: .venv/ready  ## run what the tables in notebooks/sweeps lack, WORKERS runs at a time
	$(BIN)/python -m gancourse sweep --workers $(WORKERS) notebooks/sweeps/*.yml

bench: .venv/ready  ## speed of the training step against other loops
	$(BIN)/python benchmarks/step.py
	$(BIN)/python benchmarks/feeding.py

module: .venv/ready  ## train the embedded ProGAN again, with the functions of chapter 6
	$(BIN)/python notebooks/sweeps/module.py

judges: .venv/ready  ## train the frozen classifiers again
	$(BIN)/python -m gancourse.judge

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4) and "Python 3.11.4 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[tensorflow,notebooks,test]"
	touch $@

clean:  ## remove the environment and everything that runs have left
	rm -rf .venv build runs
