"""The map of the code shows every file and no other."""

import re
from pathlib import Path

import scverse_backends

MAP = Path(__file__).parents[2] / "docs" / "explanation" / "map-of-the-code.md"
ROW = re.compile(r"^\| `([\w/]+)` \|", re.MULTILINE)


def files():
    """Name every module as the map does: its path, and a package by its folder."""
    source = Path(scverse_backends.__file__).parent
    for file in source.rglob("*.py"):
        path = file.relative_to(source).with_suffix("").as_posix()
        yield path.removesuffix("/__init__")


def test_every_file_is_on_the_map_once_and_no_other():
    """Add a line for a new file to its group, and take away that of one that is gone."""
    assert sorted(ROW.findall(MAP.read_text(encoding="utf-8"))) == sorted(files())
