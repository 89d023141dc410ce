"""A small host, and backends that go wrong in every way that is known: see what their user is told.

Importing this module installs them into a temporary folder, which ends with the process.
"""

import atexit
import os
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

from scverse_backends import BackendDispatcher

GROUP = "troubled_host.backends"
SCALE = "def scale(values, factor=1.0):\n    return [value * factor for value in values]\n"

# By distribution: the name of its entry point, what that refers to, and the code of its module.
DISTRIBUTIONS = {
    "careful": ("careful", "careful", f'name = "careful"\naliases = ["cuda"]\n{SCALE}'),
    "its-default-differs": (
        "doubling",
        "doubling",
        f'name = "doubling"\n{SCALE.replace("1.0", "2.0")}',
    ),
    "it-renamed-the-function": (
        "renaming",
        "renaming",
        f'name = "renaming"\n{SCALE.replace("scale", "rescale")}',
    ),
    "its-alias-is-taken": ("late", "late", f'name = "late"\naliases = ["cuda"]\n{SCALE}'),
    "its-entry-point-is-misspelt": ("misspelt", "misspeltt", 'name = "misspelt"\n'),
    "its-library-is-missing": (
        "driverless",
        "driverless",
        'import ctypes\n\nctypes.CDLL("libcuda_of_no_machine.so.1")\n',
    ),
    "it-is-not-who-it-says": ("trusted", "impostor", 'name = "trusted"\n'),
    "it-is-blocked": ("blocked", "blocked", f'name = "blocked"\n{SCALE}'),
}


def install(folder: Path) -> None:
    """Write every distribution as ``pip`` would, and have Python look there."""
    for distribution, (name, reference, code) in DISTRIBUTIONS.items():
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        metadata = f"""\
            Metadata-Version: 2.1
            Name: {distribution}
            Version: 1.0
            """
        (info / "METADATA").write_text(dedent(metadata))
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {reference}\n")
        (folder / f"{name if name == 'misspelt' else reference}.py").write_text(code)
    sys.path.insert(0, str(folder))


_site = tempfile.TemporaryDirectory()
atexit.register(_site.cleanup)
install(Path(_site.name))
os.environ["SCVERSE_BACKENDS_BLOCK"] = "blocked"

dispatcher = BackendDispatcher(
    entrypoint_group=GROUP,
    host_name="troubled_host",
    trusted_backends={"trusted": {"package": "trusted-backend"}},
    untrusted="allow",
)
settings = dispatcher.settings


@dispatcher.backend_dispatch
def scale(values, factor=1.0, *, copy=True):
    """Multiply every value by a factor."""
    return [value * factor for value in values]
