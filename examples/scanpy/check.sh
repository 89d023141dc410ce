#!/usr/bin/env bash
# Proves everything about scanpy from nothing, in a virtual environment that is thrown away:
#     examples/scanpy/check.sh [--all] [PYTHON [PYTHON_FOR_SETTINGS]]
# installs scanpy, PyTorch, Dask and the packages here for the first interpreter (3.11 by default,
# for which this release of PyTorch is pinned), runs their tests, and makes the small comparison.
# With a second interpreter, 3.12 or later as scverse-misc asks, it tests the settings object too.
# With --all it repeats the tests for data that are stored in each other way.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=()

# in_environment NAME COMMAND...: run a tool of one of the virtual environments.
in_environment() { PATH=$scratch/$1/bin:$PATH "${@:2}"; }

# tested ENVIRONMENT FOLDER...: run the tests of folders, each in one process, for what these import
# takes as long as the tests; one that fails does not stop the others.
tested() {
  local folder running=()
  for folder in "${@:2}"; do
    (cd "$here/$folder" && in_environment "$1" python -m pytest -q -p no:cacheprovider) \
      >"$scratch/tests-$folder.txt" 2>&1 &
    running+=($!)
  done
  for folder in "${@:2}"; do
    wait "${running[0]}" || failed+=("$folder")
    running=("${running[@]:1}")
    printf '\n=== Tests of %s\n' "$folder"
    cat "$scratch/tests-$folder.txt"
  done
}

main() {
  if [[ ${1:-} == --all ]]; then export EVERY_LAYOUT=1 && shift; fi
  local python=${1:-python3.11} settings_python=${2:-}
  # Only what is imported is compiled, and that once.
  export PYTHONPYCACHEPREFIX=$scratch/compiled PIP_NO_COMPILE=1
  unset PYTHONDONTWRITEBYTECODE
  "$python" -m venv "$scratch/scanpy"
  # Built with one tool for all, rather than in an environment that pip makes for each.
  in_environment scanpy pip install -q hatchling
  in_environment scanpy pip install -q --no-build-isolation torch==2.13.0 matplotlib pytest-timeout \
    "$root" "$here/scanpy-host" "$here/scanpy-torch[test]" "$here/scanpy-dask[test]"
  tested scanpy . scanpy-torch scanpy-dask

  printf '\n=== The manifests\n'
  for adapter in scanpy_torch._backends.scanpy scanpy_dask._backends.scanpy; do
    in_environment scanpy scverse-backends manifest check "$adapter" || failed+=("manifest of $adapter")
  done

  printf '\n=== The small comparison\n'
  in_environment scanpy python "$here/pipeline.py" --small-only --out "$scratch/comparison" ||
    failed+=(pipeline.py)

  if [[ -n $settings_python ]]; then
    "$settings_python" -m venv "$scratch/settings"
    in_environment settings pip install -q "$root" "$here/settings_embedding[test]"
    tested settings settings_embedding
  else
    printf '\n!!! NO PYTHON FOR THE SETTINGS OBJECT WAS GIVEN: IT WAS NOT TESTED !!!\n'
  fi
  [[ ${#failed[@]} -eq 0 ]] || { printf 'FAILED: %s\n' "${failed[@]}" >&2; return 1; }
}

main "$@"
