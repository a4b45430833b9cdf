# The only two commands a new machine needs are `make run` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Trust what the machine trusts (a company's proxy, say), where it keeps its certificates in a usual place.
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt),--system-certs)

.PHONY: run test coverage chaos docs lint types build constraints clean

run: $(INSTALLED)  ## two agents wash the dishes with the embedded model
	@$(BIN)/housemates models pull
	@$(BIN)/housemates run --task put_dishwasher --agents 2 --llm local --steps 30 $(ARGS)

test: $(INSTALLED)  ## all tests but the slow ones (ARGS='-m slow' runs those)
	@$(BIN)/housemates models pull
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

# Without what starts Ray, browsers, models or simulators: they add much time and little to the number.
coverage: $(INSTALLED)  ## which lines and branches the quick tests reach: a table, and htmlcov/index.html
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --cov --cov-report=term --cov-report=html \
		-m 'not slow and not ray and not chaos and not browser and not model and not process' $(ARGS)

docs: $(INSTALLED)  ## the documentation's site, into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet $(ARGS)
	@echo "the documentation is at site/index.html"

# HOUSEMATES_CHAOS=long for the long form. The table is written whatever fails; then the failure counts.
chaos: $(INSTALLED)  ## break everything on purpose, and write the results into docs/reliability.md
	@$(BIN)/python -m pytest -m "" -o junit_family=xunit1 -o junit_suite_name=$(or $(HOUSEMATES_CHAOS),short) --junitxml=$(VENV)/chaos.xml \
		$$($(BIN)/python -m tests.chaos.table --tests) $(ARGS); \
		failed=$$?; $(BIN)/python -m tests.chaos.table $(VENV)/chaos.xml && exit $$failed

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/pyright

# What is installed is compiled at once: else many processes that start together would each do it, every time where Python
# is told to write nothing.
# uv leaves out what overrides.txt names, some 700 MB that trace-opt asks for and never imports; pip cannot.
# virtualhome, with which the tests compare ours, pins packages that no current Python takes; it comes without them.
$(INSTALLED): pyproject.toml constraints.txt overrides.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "housemates needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "installing into $(VENV) (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@$(UV) pip install --quiet --compile-bytecode -c constraints.txt --overrides overrides.txt -e '.[local,dev]'
	@$(UV) pip install --quiet --no-deps virtualhome==2.3.0
	@touch $@

build: $(INSTALLED)  ## the wheel and the source archive, in dist/
	@$(BIN)/uv build

constraints: $(INSTALLED)  ## write constraints.txt anew, with today's versions
	$(UV) pip compile --quiet --upgrade pyproject.toml --all-extras --universal \
		--python-version 3.11 --overrides overrides.txt --no-header --no-annotate -o $(VENV)/constraints.txt
	{ echo "# Pinned versions of everything the make commands install. Made by: make constraints"; \
		grep -v "'never'" $(VENV)/constraints.txt; } > constraints.txt

clean:
	rm -rf $(VENV)
