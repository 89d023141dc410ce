"""Show what manifests save ``discover()``, and that its time with them grows linearly.

Run ``python benchmarks/manifests.py``: it installs 50 backends of 200 functions, once with a
manifest and once without, and prints the processor time of ``discover()`` by a host with these
functions, and of nothing but importing the adapters, which do nothing but define them. Each is
taken in processes of their own, where the adapters are compiled already and where they are not;
the shortest of several counts.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

BACKENDS, FUNCTIONS, ROUNDS = 50, 200, 5
LIBRARY = str(Path(__file__).parents[1] / "src")
DOC = """Scale values.

    Parameters
    ----------
    data : ndarray
        The values.
    factor : float
        By how much.
    {option} : int
        An option.

    Returns
    -------
    ndarray
        The scaled values.
    """
HOST = """
import sys
from time import process_time
sys.path[:0] = [{library!r}, {site!r}]
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(entrypoint_group="bench.backends", host_name="bench")
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
DISCOVER = "dispatcher.discover()"
IMPORT = (
    "import importlib\nfor number in range({backends}): importlib.import_module(f'bench{{number}}')"
)


def install(site: Path, backends: int, functions: int) -> None:
    """Write backends as pip would install them, and what they offer into manifests."""
    for number in range(backends):
        name = f"bench{number}"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[bench.backends]\n{name} = {name}\n")
        offered = (function(number, index) for index in range(functions))
        (site / f"{name}.py").write_text(f"name = {name!r}\n" + "\n".join(offered))
    code = (
        "import sys\nfrom scverse_backends.manifest import write\nfor n in sys.argv[1:]: write(n)"
    )
    names = [f"bench{number}" for number in range(backends)]
    run(code, *names, paths=[LIBRARY, str(site)])


def function(backend: int, number: int) -> str:
    """Write a function; no two have the same signature, and all share some parameters."""
    doc = DOC.format(option=f"option{number}")
    return (
        f"def func{number}(data, factor={backend}.5, *, copy=False, seed: int = 0, "
        f"option{number}: int = 4, precision='single'):\n    '''{doc}'''\n    return data\n"
    )


def run(code: str, *arguments: str, paths: list[str] | None = None, compiled: bool = True) -> str:
    """Run a script in a process of its own."""
    environment = {"PYTHONPATH": ":".join(paths or [])}
    if not compiled:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def seconds(action: str, site: Path, functions: int, *, compiled: bool = True) -> float:
    """Take one measure several times over, and give the shortest."""
    doc = DOC.format(option="seed")
    host = HOST.format(library=LIBRARY, site=str(site), functions=functions, action=action, doc=doc)
    return min(float(run(host, compiled=compiled)) for _ in range(ROUNDS))


def measure(backends: int, functions: int) -> dict[str, float]:
    """Measure one world: with its manifests, then without."""
    importing = IMPORT.format(backends=backends)
    with TemporaryDirectory() as folder:
        site = Path(folder)
        install(site, backends, functions)
        found = {"discover(), manifests": seconds(DISCOVER, site, functions)}
        for file in site.glob("*.toml"):
            file.unlink()
        for compiled in (False, True):
            if not compiled:
                for file in site.glob("__pycache__/*"):
                    file.unlink()
            else:
                seconds(importing, site, functions)
            kind = "compiled" if compiled else "not compiled"
            for what, action in (("discover()", DISCOVER), ("importing alone", importing)):
                found[f"{what}, {kind}"] = seconds(action, site, functions, compiled=compiled)
    return found


def main() -> None:
    """Print the times and their ratios."""
    found = measure(BACKENDS, FUNCTIONS)
    ours = found["discover(), manifests"]
    print(f"{BACKENDS} backends of {FUNCTIONS} functions, processor time:")
    for what, taken in found.items():
        print(f"  {what:32} {taken * 1e3:7.0f} ms   manifests take {ours / taken:.2f} of it")
    for backends, functions in ((BACKENDS // 2, FUNCTIONS), (BACKENDS, FUNCTIONS // 2)):
        with TemporaryDirectory() as folder:
            install(Path(folder), backends, functions)
            half = seconds(DISCOVER, Path(folder), functions)
        print(f"against {backends} backends of {functions} functions: {ours / half:.2f} times")


if __name__ == "__main__":
    main()
