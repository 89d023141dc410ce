#!/usr/bin/env bash
# Runs the unit tests, and those in which many threads call at once, on a free-threaded Python:
#     tests/free_threaded.sh [PYTHON]
# with python3.13t unless another is named. Everything is installed into a folder that goes again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${1:-python3.13t}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" -m venv "$scratch"
# What these tests need of the extra "test", in releases that have a wheel for 3.13t.
"$scratch/bin/pip" install -q --disable-pip-version-check --only-binary numpy "$root" \
  editables hatchling "hypothesis<6.152" numpy numpydoc pytest pytest-timeout pytest-xdist setuptools

cd "$root"
# An extension module that needs the lock would switch it on again for all.
PYTHON_GIL=0 "$scratch/bin/python" -m pytest -n auto -p no:cacheprovider \
  tests/unit tests/integration/test_stress.py
