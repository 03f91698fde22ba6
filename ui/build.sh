#!/usr/bin/env bash
# Build the front end with the system's Node if it is new enough for Vite, else with Node from PyPI (hashed lock).
set -eu
cd "$(dirname "$0")/.."
new_enough() { node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>22||(a==22&&b>=12)||(a==20&&b>=19)?0:1)' 2>/dev/null; }
if ! new_enough; then
  .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-node.lock
  PATH="$PWD/.venv/bin:$PATH"
fi
cd ui
npm ci --silent
npx vite build --logLevel warn
