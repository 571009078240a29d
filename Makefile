# Every command a person needs; the README says what each is for.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup up pages demo bootstrap test lint bench drill-kill drill-faults drill-disk drill-readers drill-alerts soak drill-restart drill-bootstrap drill-features label-census leak-audit ml-acceptance ml-real lock compose-check drill-production audit drill-shards drill-object-store drill-console

# Dependencies come from requirements.lock, hash by hash. `--no-deps` because the lock is complete and
# leaves out the CUDA collectives that xgboost asks for and a machine without an accelerator never loads.
$(VENV)/.installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed: install Python 3.11 or name another with PYTHON=…"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The instance of the command line, where the platform will look for it too.
data/dagster/dagster.yaml:
	mkdir -p $(@D) && ln -sf ../../dagster.yaml $@

setup: $(VENV)/.installed data/dagster/dagster.yaml

up: setup
	@$(BIN)/python -m launch up

pages: setup
	@$(BIN)/python -m launch pages

demo: setup
	@$(BIN)/python -m launch demo $(if $(filter once,$(DEMO)),--once)

# DAYS=14 MARKETS=5000, and TRADES=1 for trades too.
bootstrap: setup
	@$(BIN)/python -m launch bootstrap --days "$(DAYS)" --markets "$(MARKETS)" --trades "$(TRADES)"

# Whether docker-compose.yml, alone and with deploy/compose.scale.yml, holds together, and each of their services starts; no container engine is needed.
compose-check: setup
	@$(BIN)/python -m launch compose-check

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	@$(BIN)/python -m benchmarks

# Five minutes: fifty kills, with `DRILL="--kills 12"` fewer.
drill-kill: setup
	@$(BIN)/python -m drills.kill $(DRILL)

# Six minutes: the console of a demo that runs, in a browser; `make drill-console DRILL=--up` of the one that is up.
drill-console: setup
	@$(BIN)/python -m drills.console $(DRILL)

# Twenty minutes; `make drill-faults DRILL="--quiet 10"` looks for false alarms about markets that say little.
drill-faults: setup
	@$(BIN)/python -m drills.faults $(DRILL)

drill-disk: setup
	@$(BIN)/python -m drills.disk $(DRILL)

# Four minutes; `make drill-shards DRILL="--moves 8"` for longer.
drill-shards: setup
	@$(BIN)/python -m drills.shards $(DRILL)

# Twice as long as a demo, a quarter of an hour where others use the machine: the demo with its lake in an object store, and the same rows as on disk; `DRILL=--without-demo` for a look.
drill-object-store: setup
	@$(BIN)/python -m drills.object_store $(DRILL)

# Ten minutes, or MINUTES=60; `make soak DRILL=--calm` through a venue that does not lie.
soak: setup
	@$(BIN)/python -m drills.soak $(if $(MINUTES),--minutes $(MINUTES)) $(DRILL)

# Twelve minutes: the services of docker-compose.yml, installed anew, on a real Postgres; then each is killed.
drill-production: setup
	@$(BIN)/python -m drills.production $(DRILL)

# Six minutes.
drill-restart: setup
	@$(BIN)/python -m drills.restart $(DRILL)

# Twelve minutes.
drill-bootstrap: setup
	@$(BIN)/python -m drills.bootstrap $(DRILL)

# One minute; `make drill-readers DRILL="--seconds 600"` for longer.
drill-readers: setup
	@$(BIN)/python -m drills.readers $(DRILL)

# Five minutes; `make drill-alerts DRILL="--only tier_silent whale"` forces some conditions.
drill-alerts: setup
	@$(BIN)/python -m drills.alerts $(DRILL)

# Every feature of a recorded lake, once more in plain Python; `make drill-features DRILL="--root data/lake"` of another than the last demo's.
drill-features: setup
	@$(BIN)/python -m drills.features $(DRILL)

# What the strict rule makes of the closed markets of 2024; `make label-census FILES="--lake data/lake"` of a lake.
label-census: setup
	@$(BIN)/python -m drills.labels $(FILES)

# Whether features or rows know more than they could have; `make leak-audit AUDIT="--root data/demo/lake --rows 50"`.
leak-audit: setup
	@$(BIN)/python -m polymarket_assets.learning leak-audit $(AUDIT)

# Twenty minutes: is the word about a model to be trusted, either way? `make ml-acceptance DRILL="--seeds 1"` for a look.
ml-acceptance: setup
	@$(BIN)/python -m drills.acceptance $(DRILL)

# Twenty minutes: every dataset, one model over all and one for each source; `make ml-real DRILL="--only weather mlb"` of some.
ml-real: setup
	@$(BIN)/python -m drills.real $(DRILL)

# Is anything that is locked known to be vulnerable? 2 where no service could be asked.
audit: setup
	@$(BIN)/python -m launch.audit

# Needs `uv`; run after a change of the dependencies in pyproject.toml. The build backend is locked with them, so that
# the editable install needs no other download and nothing stands there twice.
lock:
	printf 'setuptools\nwheel\n' | uv pip compile pyproject.toml - --extra local --extra dev --extra scale --upgrade --quiet --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-emit-package nvidia-nccl-cu12 --no-header \
	  --python-version 3.11 --no-annotate -o requirements.lock
	@# What the image needs of it: the same versions and hashes, without what only tests and `make up` need.
	printf 'setuptools\nwheel\n' | uv pip compile pyproject.toml - --extra scale --constraint requirements.lock --quiet --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-emit-package nvidia-nccl-cu12 --no-header \
	  --python-version 3.11 --no-annotate -o deploy/requirements.lock
	printf 'pip-audit\n' | uv pip compile - --upgrade --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --python-version 3.11 --no-annotate -o audit.lock
