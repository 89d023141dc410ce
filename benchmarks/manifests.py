"""Show what ``discover()`` costs with manifests, and that its time with them grows linearly.

Run ``python benchmarks/manifests.py``: it installs 10 backends of 100 functions, once with a
manifest and once without, and prints the processor time of ``discover()`` by a host with these
functions. The adapters do nothing but define them, so importing them costs next to nothing: the
target is that ``discover()`` with manifests takes no more than 1.25 times what it takes without.
Real adapters import more than their functions, and that is what a manifest saves. Each is taken in
processes of its own, one of each in turns, where the adapters are compiled already and where they
are not; the shortest counts.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from installed import DOC, GROUP, install

BACKENDS, FUNCTIONS, ROUNDS = 10, 100, 7
LIBRARY = str(Path(__file__).parents[1] / "src")
HOST = """
import sys
from time import process_time
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(entrypoint_group={group!r}, host_name="bench")
source = '''def func{{number}}(data, factor=1, *, copy=False, seed=0):
    \"\"\"{doc}\"\"\"
    return data
'''
for number in range({functions}):
    scope = {{"__name__": "bench"}}
    exec(source.format(number=number), scope)
    dispatcher.backend_dispatch(scope[f"func{{number}}"])
started = process_time()
{action}
print(process_time() - started)
"""
WRITE = "import sys\nfrom scverse_backends.manifest import write\nfor n in sys.argv[1:]: write(n)"
DISCOVER = "dispatcher.discover()"
IMPORT = (
    "import importlib\nfor number in range({backends}): importlib.import_module(f'bench{{number}}')"
)


def build(site: Path, backends: int, functions: int) -> None:
    """Install backends, and write what they offer into manifests."""
    names = [f"bench{number}" for number in range(backends)]
    for number, name in enumerate(names):
        offered = (function(number, index) for index in range(functions))
        install(site, name, name, module=f"name = {name!r}\n" + "\n".join(offered))
    run(WRITE, *names, site=site)


def function(backend: int, number: int) -> str:
    """Write a function; no two have the same signature, and all share some parameters."""
    doc = DOC.format(option=f"option{number}")
    return (
        f"def func{number}(data, factor={backend}.5, *, copy=False, seed: int = 0, "
        f"option{number}: int = 4, precision='single'):\n    '''{doc}'''\n    return data\n"
    )


def run(code: str, *arguments: str, site: Path) -> str:
    """Run a script in a process of its own, which compiles nothing for another one."""
    environment = {"PYTHONPATH": f"{LIBRARY}:{site}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def seconds(action: str, site: Path, functions: int) -> float:
    """Take one measure once."""
    doc = DOC.format(option="seed")
    host = HOST.format(group=GROUP, functions=functions, action=action, doc=doc)
    return float(run(host, site=site))


def compiled(folder: Path) -> None:
    """Compile everything that lies in a folder."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], check=True)


def worlds(folder: Path, backends: int, functions: int) -> dict[str, tuple[str, Path]]:
    """Make what is measured: an action, and the folder where everything is installed for it."""
    described, bare, ready = (folder / name for name in ("described", "bare", "ready"))
    build(described, backends, functions)
    for place in (bare, ready):
        copytree(described, place, ignore=ignore_patterns("*.toml"))
    compiled(ready)
    importing = IMPORT.format(backends=backends)
    return {
        "discover(), manifests": (DISCOVER, described),
        "discover(), not compiled": (DISCOVER, bare),
        "discover(), compiled": (DISCOVER, ready),
        "importing alone, not compiled": (importing, bare),
        "importing alone, compiled": (importing, ready),
    }


def measure(backends: int, functions: int) -> dict[str, float]:
    """Measure everything in turns, and then ``discover()`` with half of it."""
    taken = defaultdict(list)
    with TemporaryDirectory() as folder:
        cases = {
            what: (*case, functions)
            for what, case in worlds(Path(folder, "all"), backends, functions).items()
        }
        for what, size in (
            ("backends", (backends // 2, functions)),
            ("functions", (backends, functions // 2)),
        ):
            site = Path(folder, what)
            build(site, *size)
            cases[f"half of the {what}"] = (DISCOVER, site, size[1])
        for _ in range(ROUNDS):
            for what, case in cases.items():
                taken[what].append(seconds(*case))
    return {what: min(found) for what, found in taken.items()}


def main() -> None:
    """Print the times, and what part of each ``discover()`` with manifests takes."""
    compiled(Path(LIBRARY))
    found = measure(BACKENDS, FUNCTIONS)
    ours = found["discover(), manifests"]
    print(f"{BACKENDS} backends of {FUNCTIONS} functions, processor time,")
    print("and of each the part that discover() with manifests takes:")
    for what, time in found.items():
        print(f"  {what:32} {time * 1e3:6.0f} ms  {ours / time:6.2f}")


if __name__ == "__main__":
    main()
