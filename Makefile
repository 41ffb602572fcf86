# Needs Python 3.11 or newer, make and a C library. Everything else goes into .venv.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell \
	command -v $(name) >/dev/null && $(name) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $(name))))
BIN := .venv/bin
READY := .venv/installed
LOCKED := --generate-hashes --universal --no-emit-index-url --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help setup tools demo test chaos check bench docs screenshots lock clean

help: ## Show this.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Set up .venv and do no more.

# Prometheus is unpacked only: its package would start a service.
tools: ## Get what some tests are skipped without, on Debian: a browser, Prometheus.
	@command -v promtool >/dev/null || test -x build/prometheus/usr/bin/promtool || { mkdir -p build/prometheus \
	&& cd build/prometheus && apt-get download --quiet=2 --option APT::Sandbox::User=root prometheus \
	&& dpkg --extract prometheus_*.deb . && rm prometheus_*.deb; }
	@command -v chromium >/dev/null \
	|| DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends chromium

demo: $(READY) ## See a day of three hospitals go through a real Kafka and come out as charges.
	@$(BIN)/perdiem demo

test: $(READY) ## Run the tests but the longest, on a Kafka that they start themselves.
	$(BIN)/pytest -m "not long" $(ARGS)

chaos: $(READY) ## Break a running Perdiem in every way that we know; figures are shown.
	$(BIN)/pytest -s tests/chaos $(ARGS)

check: $(READY) ## Lint, formatting and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) build/bench/installed ## Measure it beside its peers. QUICK=1: small; PARTS="latency restore": some.
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(PARTS)

docs: $(READY) ## Renew what is generated in docs/.
	$(BIN)/python -m streams.schemas
	$(BIN)/python -m streams.topics
	$(BIN)/python -m streams.acls
	$(BIN)/python -m streams.metrics.catalogue

screenshots: $(READY) ## Take a picture of every page, light and dark, at a desk and on a phone.
	mkdir -p build && echo 0 > build/clock
	AIOKAFKA_NO_EXTENSIONS=1 $(BIN)/python -m tests.browser.clock build/clock \
	tests.browser.screenshots build/clock build/screenshots

lock: ## Renew both requirements.lock from pyproject.toml.
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --extra dev $(LOCKED) --output-file requirements.lock
	build/lock/bin/uv pip compile --group bench $(LOCKED) --output-file bench/requirements.lock

clean: ## Remove all that was made here: .venv, local data, caches.
	rm -rf .venv var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find models streams tests bench -name __pycache__ -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	$(if $(PYTHON),,$(error Python 3.11 or newer with its venv module is needed: install it or set PYTHON=))
	@echo "Installing into .venv what requirements.lock names; half a minute, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

build/bench/installed: bench/requirements.lock | $(READY)
	@echo "Installing the peers of the bench into build/bench; half a minute, once"
	@$(BIN)/python -m venv --clear build/bench
	@build/bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
	@touch $@
