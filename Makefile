# Short names for what ./run and pip-compile do.
PIP_COMPILE = CUSTOM_COMPILE_COMMAND="make requirements" .venv/bin/pip-compile --quiet --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.PHONY: demo tests check format requirements audit dist

demo tests check:
	./run $@

format: .venv
	.venv/bin/ruff check --fix --exit-zero .
	.venv/bin/ruff format .

# Upgrade all pins within the ranges of the .in files: make requirements UPGRADE=--upgrade
requirements: .venv
	$(PIP_COMPILE) $(UPGRADE) --output-file=requirements.txt requirements.in
	$(PIP_COMPILE) $(UPGRADE) --output-file=tests/requirements.txt tests/requirements.in

# Ask the vulnerability database about every pin.
audit: .venv
	.venv/bin/pip-audit --require-hashes --requirement tests/requirements.txt

dist: .venv
	.venv/bin/python -m build

.venv:
	./run setup
