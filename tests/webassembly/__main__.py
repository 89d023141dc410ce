"""Run the unit tests on the newest CPython that WebAssembly has: ``python tests/webassembly``.

It needs pip and npm, and takes three minutes. Further arguments are pytest's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TREE = HERE.parents[1]
PACKAGES = ("pytest", "hypothesis<6.140", "numpydoc", "typing-extensions")
"""Written in Python alone, so that whatever runs pip may fetch them."""


def main(arguments: list[str]) -> int:
    """Install what is needed into a temporary folder, and run pytest there."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed, which comes with Node.js; it fetches Python for WebAssembly.")
    with tempfile.TemporaryDirectory() as folder:
        work, site = Path(folder), Path(folder, "site")
        for name in ("package.json", "run.mjs"):
            shutil.copy(HERE / name, work)
        subprocess.run([npm, "install", "--silent"], cwd=work, check=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site)]
        subprocess.run([*pip, *PACKAGES], check=True)
        node = work / "node_modules" / ".bin" / "node"
        options = ["-q", "-p", "no:cacheprovider", "-p", "without_threads", "--tb=short"]
        command = [str(node), "run.mjs", str(site), str(TREE), *options, "tests/unit", *arguments]
        return subprocess.run(command, cwd=work, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
