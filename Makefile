# `make up` gives a MySQL on this host, `make test` proves everything. Both need root and Debian.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where Coffer is installed. Everybody may read it: the services do not run as root.
PREFIX ?= /opt/coffer
# Where the commands and the manual page are put.
LOCAL ?= /usr/local
# The distribution's own Python: one below a home directory cannot be run by the services.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
VENV := .venv
SOURCES := $(shell git ls-files -co --exclude-standard api coffer dbctl guest worker playbooks roles inventory_plugins pyproject.toml requirements.lock ansible.cfg coffer.yml README.md 2>/dev/null)

.PHONY: help
help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: up
up: $(PREFIX)/.installed ## install, start, and create the MySQL instance "demo"
	@mkdir -p $(LOCAL)/bin $(LOCAL)/share/man/man1
	@ln -sf $(PREFIX)/bin/dbctl $(PREFIX)/bin/coffer-manage $(LOCAL)/bin/
	@$(PREFIX)/bin/argparse-manpage --module dbctl.parser --function build_parser --prog dbctl --output $(LOCAL)/share/man/man1/dbctl.1
	@$(PREFIX)/bin/coffer-manage up

.PHONY: down
down: ## stop everything, keep the data
	@$(PREFIX)/bin/coffer-manage down

.PHONY: purge
purge: ## remove everything that `make up` made, data included
	@if [ -x $(PREFIX)/bin/coffer-manage ]; then $(PREFIX)/bin/coffer-manage purge; fi
	rm -rf $(PREFIX) $(LOCAL)/bin/dbctl $(LOCAL)/bin/coffer-manage $(LOCAL)/share/man/man1/dbctl.1

.PHONY: test
test: lint unit guests ## everything: lint, unit tests, and tests on real guests

.PHONY: lint
lint: $(VENV)/.installed ## ruff, mypy, ansible-lint, shellcheck
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	ANSIBLE_INVENTORY=/dev/null PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/ansible-lint --offline --profile production playbooks roles
	git ls-files -co --exclude-standard | xargs grep -lE '^#!/(bin|usr/bin/env) ?(ba)?sh' | xargs -r $(VENV)/bin/shellcheck

.PHONY: packages
packages: $(VENV)/.installed # what the tests need of the system (root)
	@$(VENV)/bin/ansible-playbook -i /dev/null -e ansible_python_interpreter=$(CURDIR)/$(VENV)/bin/python tests/packages.yml

.PHONY: unit
unit: packages ## quick tests, without guests
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile tests/unit tests/api tests/model tests/clients

.PHONY: guests guests-of-roles guests-of-service
guests: packages ## tests on real guests (root)
	@$(MAKE) --no-print-directory --jobs 2 guests-of-roles guests-of-service

guests-of-roles:
	$(VENV)/bin/python -m pytest -v --tb=short tests/roles

guests-of-service:
	$(VENV)/bin/python -m pytest -v --tb=short tests/e2e

.PHONY: chaos
chaos: packages ## real operations while something breaks (root); SEED=… RUNS=…
	COFFER_CHAOS_SEED=$(SEED) COFFER_CHAOS_RUNS=$(or $(RUNS),10) $(VENV)/bin/python -m pytest -s --tb=short tests/chaos

.PHONY: test-openstack contract-openstack lab
# Any cloud: COFFER_TEST_CLOUDS_FILE and the other variables of tests/openstack/cloud.py. Without it
# the lab is brought up, when its scripts are there.
test-openstack: lab ## instances' lives and faults in an OpenStack cloud (root)
	@$(MAKE) --no-print-directory --jobs 2 openstack-mongodb openstack-mysql
	$(VENV)/bin/python -m pytest -v --tb=short tests/openstack/test_faults.py

contract-openstack: lab ## what every provider promises, in an OpenStack cloud (root)
	$(VENV)/bin/python -m pytest -v --tb=short tests/roles/test_provider_*.py -k "not local"

lab: $(VENV)/.installed
	@[ -n "$${COFFER_TEST_CLOUDS_FILE:-}" ] || $(VENV)/bin/python -W ignore -m tests.openstack.lab up

# Engines side by side, each with an installation of its own.
openstack-mysql: export COFFER_TEST_SITE = 1
openstack-%:
	COFFER_TEST_ENGINES=$* $(VENV)/bin/python -m pytest -v --tb=short tests/openstack/test_life.py

.PHONY: lock
lock: $(VENV)/.installed ## resolve the dependencies anew
	$(VENV)/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --all-extras --group dev -o requirements-dev.lock pyproject.toml
	$(VENV)/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --all-extras -c requirements-dev.lock -o requirements.lock pyproject.toml

# The service's environment: the locked packages and Coffer itself, not the checkout.
$(PREFIX)/.installed: $(SOURCES)
	@echo "Installing Coffer into $(PREFIX)" >&2
	@$(call make-venv,$(PREFIX))
	@$(PREFIX)/bin/uv pip install -q -p $(PREFIX) --require-hashes -r requirements.lock
	@$(PREFIX)/bin/uv pip install -q -p $(PREFIX) --no-deps --reinstall-package coffer .
	@touch $@

# The developer's environment: the locked packages and tools, and the checkout as it is.
$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@echo "Preparing $(VENV)" >&2
	@$(call make-venv,$(VENV))
	@$(VENV)/bin/uv pip install -q -p $(VENV) --require-hashes -r requirements-dev.lock
	@$(VENV)/bin/uv pip install -q -p $(VENV) --no-deps -e .
	@touch $@

define make-venv
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; }; \
$(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install -q --disable-pip-version-check uv
endef
