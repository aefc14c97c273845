# Every target runs from a fresh clone: those that need the environment make it first.
PYTHON ?= python3
# Another build of torch (CUDA, ROCm): make setup TORCH="torch --index-url <its wheel index>"
TORCH ?= torch==2.13.0
# An index whose wheels are built anew has other hashes than PyPI: make setup HASHES=0
HASHES ?= 1
# Another torch needs another torchvision: make test-libraries LIBRARIES="torchvision==… timm==…"
LIBRARIES ?= torchvision==0.28.0 timm==1.0.31
HASHED := --require-hashes --only-binary :all: --no-deps
BIN := .venv/bin
# Programs of the tests; a file in the working folder cannot stand in for one of the standard library.
MODULE := $(BIN)/python -P tests/module.py
PORTABLE := tests/contracts/test_attribution_laws.py tests/classifiers tests/attribution/methods \
            tests/attribution/test_networks_proof.py -k "not proof or efficientnet-b0-2d"
# Without windows, in which the tests spend a third less time; Chromium itself does as well.
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium-headless-shell) $(wildcard /usr/bin/chromium) /usr/bin/chromium-headless-shell)
# OHIF draws by WebGL, for which its tests need Chromium itself.
CHROMIUM_WITH_WEBGL ?= /usr/bin/chromium
# The viewer's static build, from npm (204 MB); another: make viewer OHIF=its folder dist
OHIF ?= .venv/ohif
FETCH_OHIF = test -d "$(OHIF)" || { npm pack --silent --pack-destination .venv @ohif/app@3.13.2 && mkdir -p .venv/ohif \
  && tar --extract --gzip --file .venv/ohif-app-3.13.2.tgz --directory .venv/ohif && rm .venv/ohif-app-3.13.2.tgz; }
ORTHANC ?= /usr/sbin/Orthanc
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# make audit STUDIES=… becomes heatproof audit --studies …; what is not given is not passed.
flag = $(if $($(1)),--$(2) "$($(1))")
INPUTS = $(call flag,STUDIES,studies) $(call flag,ANNOTATIONS,annotations) $(call flag,MODEL,model) \
         $(call flag,HEATMAPS,heatmaps) \
         $(call flag,WEIGHTS,weights) $(call flag,CONFIG,config) $(call flag,OUT,out) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help setup audit score tune validate test test-libraries fuzz faults mutation test-portable test-readme test-browser test-pacs test-ray viewer simulate metamorphic trust trust-quick check format bench bench-gpu bench-edges scale schemas hashes sbom reference-model clean

help:  ## this menu
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(BIN)/.installed  ## make .venv and install the pinned dependencies

# The wheels are compared with configs/hashes.txt. Torch and what only its build needs are not, because the build is
# chosen; the second line adds nothing unless HASHES is not 1.
$(BIN)/.installed: pyproject.toml configs/constraints.txt configs/hashes.txt
	@echo "Making .venv from pinned packages; once, some minutes"
	$(PYTHON) -m venv .venv
	$(if $(filter 1,$(HASHES)),$(BIN)/pip install --quiet $(HASHED) --requirement configs/hashes.txt)
	$(BIN)/pip install --quiet --constraint configs/constraints.txt setuptools
	$(BIN)/pip install --quiet --constraint configs/constraints.txt $(TORCH)
	$(BIN)/pip install --quiet --constraint configs/constraints.txt --no-build-isolation --editable ".[dev]"
	@touch $@

audit: setup  ## audit STUDIES=… ANNOTATIONS=… MODEL=… [WEIGHTS=… CONFIG=… OUT=…]; alone: the built-in phantoms
	@$(BIN)/heatproof audit $(INPUTS)

score: setup  ## score maps computed elsewhere: HEATMAPS=… STUDIES=… ANNOTATIONS=… [CONFIG=… OUT=…]
	@$(BIN)/heatproof score $(INPUTS)

tune: setup  ## choose thresholds on a tuning split: STUDIES=… ANNOTATIONS=… MODEL=… CONFIG=… OUT=tuned.yaml
	@$(BIN)/heatproof tune $(INPUTS)

validate: setup  ## check the annotations themselves: STUDIES=… ANNOTATIONS=… [MODEL=… CONFIG=… OUT=…]
	@$(BIN)/heatproof validate $(INPUTS)

test: setup  ## every test (under 12 minutes on 2 cores)
	$(BIN)/pytest --numprocesses 2 --dist worksteal $(ARGS)

# Kernels of another processor and another number of threads: exact only to what arithmetic allows.
test-portable: setup  ## maps and classifiers as on an old processor, with two threads
	ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 OMP_NUM_THREADS=2 $(BIN)/pytest $(PORTABLE) $(ARGS)

# Apart from the environment, because users choose the wheel that belongs to their torch.
test-libraries: setup  ## networks of torchvision and timm, which it installs apart (minutes)
	$(BIN)/pip install --quiet --upgrade --no-deps --target .venv/libraries $(LIBRARIES) \
	  || echo "$(LIBRARIES) cannot be installed here: what needs them is skipped"
	PYTHONPATH=.venv/libraries $(BIN)/pytest tests/attribution/test_library_networks.py \
	  tests/classifiers/recognition $(ARGS)

test-readme: setup  ## the README's commands, in its order, on the phantoms (minutes)
	$(BIN)/pytest tests/readme/test_commands.py $(ARGS)

fuzz: setup  ## 20,000 damaged inputs of all formats as runs read them: ARGS="--seed 7 --kinds 'map npz'" (some 20 minutes)
	$(MODULE) tests.damage $(ARGS)

faults: setup  ## kill a run and its workers at 100 random moments of ARGS="--seed N", under load (some 20 minutes)
	OMP_NUM_THREADS=1 $(MODULE) tests.faults --load 8 $(ARGS)

mutation: setup  ## flip 100 tokens of run/, cases/ and statistics/, one at a time: do the tests notice? (some 20 minutes)
	$(MODULE) tests.mutation $(ARGS)

test-browser: setup  ## the report's pages in Chromium (Debian's chromium-headless-shell, installed where it is missing)
	@test -x $(CHROMIUM) || { test "$$(id -u)" = 0 && apt-get update --quiet && apt-get install --quiet --yes chromium-headless-shell; } \
	  || { echo "test-browser: $(CHROMIUM) is missing; install chromium-headless-shell, or name another: make test-browser CHROMIUM=…"; exit 1; }
	$(if $(filter 1,$(HASHES)),$(BIN)/pip install --quiet $(HASHED) --requirement configs/hashes-browser.txt)
	$(BIN)/pip install --quiet --constraint configs/constraints.txt --no-build-isolation --editable ".[browser]"
	CHROMIUM=$(CHROMIUM) $(BIN)/pytest --numprocesses 2 --dist worksteal tests/browser $(ARGS)

test-pacs: setup  ## studies from and results to Orthanc, and OHIF where make viewer fetched it (Debian's packages, installed where they are missing; minutes)
	@test -x $(ORTHANC) || { test "$$(id -u)" = 0 && apt-get update --quiet && apt-get install --quiet --yes orthanc orthanc-dicomweb; } \
	  || { echo "test-pacs: $(ORTHANC) is missing; install orthanc and orthanc-dicomweb, or name another: make test-pacs ORTHANC=…"; exit 1; }
	ORTHANC=$(ORTHANC) CHROMIUM=$(CHROMIUM_WITH_WEBGL) OHIF=$(OHIF) $(BIN)/pytest tests/pacs $(ARGS)

test-ray: setup  ## a run on a Ray cluster of two nodes on this machine, while driver and node die (2 minutes)
	$(BIN)/pytest tests/ray $(ARGS)

viewer: setup  ## a run's images and results in Orthanc and OHIF, on this machine alone: RUN=… STUDIES=… [OHIF=…]
	@$(FETCH_OHIF) || { echo "viewer: OHIF cannot be fetched here; give OHIF=, the folder dist of @ohif/app"; exit 1; }
	@$(BIN)/heatproof view "$(RUN)" --studies "$(STUDIES)" --ohif "$(OHIF)" $(ARGS)

check: setup  ## format, lint, types, layers, sizes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MODULE) tests.sizes

format: setup  ## format, and apply automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## measure this machine: each stage, ratios, peak memory; exits with 1 where a promise is missed
	$(MODULE) tests.bench $(ARGS)

bench-gpu: setup  ## what a GPU does: images a second bare, with maps of 14 findings and whole (8 minutes at most)
	$(MODULE) tests.bench.gpu $(ARGS)

bench-edges: setup  ## time, memory and growth at the edges of what is read; exits with 1 where one is missed (minutes)
	OMP_NUM_THREADS=1 $(MODULE) tests.bench.edges $(ARGS)

scale: setup  ## 100,000 finished cases and 20,000 real images, or ARGS="--cases N --real N"; exits with 1 where a promise is missed
	OMP_NUM_THREADS=1 $(MODULE) tests.scale $(ARGS)

simulate: setup  ## coverage of the intervals on simulated study sets (some 20 minutes)
	$(MODULE) tests.simulation $(ARGS)

metamorphic: setup  ## change images in known ways: violations by size of the input and target layer (seconds)
	OMP_NUM_THREADS=1 $(MODULE) tests.metamorphic $(ARGS)

# ARGS="--answers FILE" keeps answers and resumes; more in .github/CONTRIBUTING.md, "Does the verdict name faults?"
trust: setup  ## plant some 30 defects in phantom audits: which are named? (some 25 minutes)
	OMP_NUM_THREADS=1 $(MODULE) tests.trust $(ARGS)

trust-quick: setup  ## ten of these defects and four clean audits, compared with the committed baseline (2 minutes)
	OMP_NUM_THREADS=1 $(MODULE) tests.trust --quick $(ARGS)

schemas: setup  ## write the JSON Schemas of config and model card again, from the code and its comments
	$(MODULE) tests.schemas

hashes: setup  ## write the hashes of the pinned wheels again, from the package index
	$(MODULE) tests.hashes

sbom: setup  ## write the software bill of materials again, from what is installed
	$(MODULE) tests.sbom

reference-model: setup  ## train the built-in reference model again (at most 30 minutes on 2 cores)
	$(MODULE) tests.reference_model.train $(ARGS)

clean:  ## remove the environment and caches (reports stay)
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
