#!/bin/sh
# Tests of the service, without a cluster: what the job aihub/service runs before it builds anything.
set -eu
python3 -m venv /tmp/tests
/tmp/tests/bin/pip install --quiet --no-cache-dir --require-hashes --requirement service/requirements-dev.txt
mkdir -p reports
PYTHONPATH=service /tmp/tests/bin/python -m pytest -q -p no:cacheprovider --junitxml reports/service.xml tests/service/chatbot
