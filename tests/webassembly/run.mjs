// Runs pytest in CPython for WebAssembly. Arguments: the folder of installed packages, the
// checkout, and pytest's own.
import { loadPyodide } from "pyodide";

const [site, tree, ...options] = process.argv.slice(2);
const python = await loadPyodide({ env: { HOME: "/home", PYTHONDONTWRITEBYTECODE: "1" } });
for (const [root, inside] of [[site, "/site"], [tree, "/tree"]]) {
  python.FS.mkdirTree(inside);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, inside);
}
python.globals.set("options", python.toPy(options));
process.exitCode = await python.runPythonAsync(`
import os, sys
sys.path[:0] = ["/tree/src", "/tree/tests/webassembly", "/site"]
os.chdir("/tree")
print("Python", sys.version, flush=True)
import pytest
int(pytest.main(list(options)))
`);
