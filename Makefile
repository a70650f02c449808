# The verbs of the course for those who type make; start.py does the work and needs no make.
PYTHON ?= python3
PROFILE ?= smoke
JOBS ?= 1
WORKERS ?= 1
SEEDS ?= 3
CHAPTERS ?=

.PHONY: course site test lab notebooks evidence sweeps bench module judges models colab clean

course:  ## run every chapter and leave notebooks, a page and a table in build/
	$(PYTHON) start.py course $(CHAPTERS) --profile $(PROFILE) --jobs $(JOBS)

site:  ## make the course as a site, build/site/index.html; needs Node.js
	$(PYTHON) start.py site $(CHAPTERS)

test:  ## lint and tests
	$(PYTHON) start.py test

lab:  ## open JupyterLab on your own copy of the notebooks
	$(PYTHON) start.py lab

notebooks:  ## make the notebooks from their sources and check them
	$(PYTHON) start.py notebooks $(CHAPTERS)

evidence:  ## run every chapter with SEEDS seeds at PROFILE=lesson and write notebooks/expected.yml
	$(PYTHON) start.py evidence $(CHAPTERS) --seeds $(SEEDS) --profile $(if $(filter smoke,$(PROFILE)),lesson,$(PROFILE)) --jobs $(JOBS)

sweeps:  ## run what the tables in notebooks/sweeps lack, WORKERS runs at a time
	$(PYTHON) start.py sweeps --workers $(WORKERS)

bench:  ## speed of the training step against other loops
	$(PYTHON) start.py bench

module:  ## train the embedded ProGAN again, with the functions of chapter 6
	$(PYTHON) start.py module

judges:  ## train the frozen classifiers again
	$(PYTHON) start.py judges

models:  ## train the networks from long runs that are stale, or go on with them
	$(PYTHON) start.py models

colab:  ## run the CHAPTERS at smoke from the wheel, beside the versions that Colab has; PYTHON is a Python 3.13
	$(PYTHON) start.py colab $(CHAPTERS)

clean:  ## remove the environment and everything that runs have left; your notebooks stay
	rm -rf .venv build runs
