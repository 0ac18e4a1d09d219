# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need Python 3.11 to 3.14 (with venv) and a network of package registries.

PYTHON := $(shell for p in $(PYTHON) python3.12 python3.11 python3 python3.13 python3.14 python; do \
	"$$p" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	>/dev/null 2>&1 && { echo "$$p"; break; }; done)
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help demo test attack lint bench-engine bench-statistics bench-faces fuzz-engine validate docs lock clean

help:
	@echo "make demo    render two videos, measure imitation, write demo/results/report.html"
	@echo "make test    run all tests"
	@echo "make lint    ruff, the type checker, and a spelling checker"
	@echo "make bench-engine, bench-statistics, bench-faces    measure speed, as ratios"
	@echo "make attack  kill, race, fill up and fuzz, for an hour or so (make test does a little of it)"
	@echo "make fuzz-engine                  compare the engine with its definition for half an hour"
	@echo "make validate                     measure accuracy and calibration; writes docs/validation"
	@echo "make docs    build the documentation into docs/_build/html"
	@echo "make lock    compile requirements/locked.txt anew"
	@echo "make clean   remove the environment and everything built"

$(READY): requirements/locked.txt requirements/humans.txt pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "No usable Python was found. Expected Python 3.11 to 3.14 with its venv module."; \
		echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Another place: make PYTHON=/path/to/python3.12"; \
		exit 1; }
	@echo "Setting up .venv with $(PYTHON) (once, about a minute)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/locked.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/humans.txt \
		|| echo "The shapes of people could not be installed: tests and measurements on rendered people will be skipped."
	$(BIN)/bitbox --quiet models install
	@touch $@

demo: $(READY)
	$(BIN)/bitbox demo -o demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

bench-engine: $(READY)
	$(BIN)/python -m benchmarks.engine

bench-statistics: $(READY)
	$(BIN)/python -m benchmarks.statistics

bench-faces: $(READY)
	$(BIN)/python -m benchmarks.faces

attack: $(READY)
	BITBOX_ATTACK_ROUNDS=20 $(BIN)/python -m pytest tests/attack tests/measuring/test_store.py tests/system/test_kernel_cache.py

fuzz-engine: $(READY)
	$(BIN)/python -m benchmarks.fuzz --minutes 30

validate: $(READY)
	$(BIN)/python validation/face_accuracy.py
	$(BIN)/python validation/calibration.py
	$(BIN)/python validation/form.py
	$(BIN)/python validation/sync.py
	$(BIN)/python validation/rendered_pairs.py
	$(BIN)/python validation/runtimes.py
	$(BIN)/python validation/studies.py

docs: $(READY)
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# --python-version is the oldest supported one; markers choose what the later ones get.
lock: $(READY)
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev \
		--override requirements/overrides.txt --no-emit-index-url --generate-hashes \
		--no-annotate --no-header pyproject.toml requirements/extra.in -o requirements/locked.txt

clean:
	rm -rf .venv docs/_build demo .pytest_cache .mypy_cache .ruff_cache
