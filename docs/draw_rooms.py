"""Draw the rooms of the code, from what they really import: `python docs/draw_rooms.py`.

It writes `_static/rooms.svg` beside this file. A pre-commit hook runs it, so that a picture that
is out of date fails the checks.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

import grimp

PACKAGE = "scverse_backends"
HERE = Path(__file__).parent
SOURCE = HERE.parent / "src" / PACKAGE
ROOMS = {
    "plugins": ("pytest_plugin", "sphinx_ext", "dask_plugin"),
    "_cli": ("_cli", "__main__"),
    "_checks": ("_checks", "testing"),
    "facade": ("dispatcher", "settings", "manifest", "records"),
    "_display": ("_display",),
    "_routing": ("_routing",),
    "_selection": ("_selection",),
    "_backends": ("_backends",),
    "_ground": ("_ground", "exceptions", "typing"),
}
PURPOSES = {
    "plugins": "pytest, Sphinx and Dask, each optional.",
    "facade": "What hosts and users hold: it wires the rooms below and decides nothing.",
}
WIDTH, LEFT, LANE, LINE = 740, 16, 14, 20


def files(room: str) -> list[str]:
    """Name the files of a room, except its `__init__`."""
    found = []
    for name in ROOMS[room]:
        folder = SOURCE / name
        inside = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
        found += [
            path.relative_to(folder if name == room else SOURCE).with_suffix("").as_posix()
            for path in inside
            if path.stem != "__init__" or name != room
        ]
    return [name.removesuffix("/__init__") for name in found]


def purpose(room: str) -> str:
    """Give the first paragraph of what a room's `__init__` says."""
    if room in PURPOSES:
        return PURPOSES[room]
    text = ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].replace("`", "").split())


def imports() -> dict[str, list[str]]:
    """Tell which rooms each room imports."""
    sys.path.insert(0, str(SOURCE.parent))  # this checkout, whichever one is installed
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    owner = {f"{PACKAGE}.{name}": room for room, names in ROOMS.items() for name in names}

    def room_of(module: str) -> str:
        return owner.get(".".join(module.split(".")[:2]), "")

    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module in graph.modules:
        for target in graph.find_modules_directly_imported_by(module):
            here, there = room_of(module), room_of(target)
            if here and there and here != there:
                found[here].add(there)
    return {room: [other for other in ROOMS if other in found[room]] for room in ROOMS}


def wrapped(names: list[str], most: int = 88) -> list[str]:
    """Break a list of names into lines."""
    lines = [""]
    for name in names:
        longer = f"{lines[-1]}, {name}".removeprefix(", ")
        if len(longer) > most:
            lines.append(name)
        else:
            lines[-1] = longer
    return lines


def draw() -> str:
    """Draw every room as a box, and a line from each to the rooms that it imports."""
    parts, tops, top = [], {}, 10
    for room in ROOMS:
        lines = wrapped(files(room))
        height = LINE * (len(lines) + 1) + 18
        tops[room] = top
        parts.append(f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{height}" rx="6"/>')
        parts.append(f'<text x="30" y="{top + 20}" class="room">{escape(room)}</text>')
        parts.append(f'<text x="130" y="{top + 20}">{escape(purpose(room))}</text>')
        parts += [
            f'<text x="30" y="{top + 44 + LINE * i}" class="file">{escape(line)}</text>'
            for i, line in enumerate(lines)
        ]
        top += height + 14
    edge = LEFT + WIDTH
    for lane, (room, others) in enumerate(imports().items()):
        x, start = edge + LANE * (lane + 1), tops[room] + 12
        for other in others:
            end = tops[other] + 25 + 5 * lane
            parts.append(
                f'<path d="M{edge} {start} H{x} V{end} H{edge + 2}" marker-end="url(#head)"/>'
            )
    width = edge + LANE * (len(ROOMS) + 1)
    style = (
        "text{font:13px system-ui,sans-serif;fill:#24292f}.room{font-weight:700}"
        ".file{font-family:ui-monospace,monospace;font-size:12px}"
        "rect{fill:#f6f8fa;stroke:#8c959f}path{fill:none;stroke:#57606a}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#161b22}path{stroke:#8b949e}}"
    )
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8"/></marker>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" role="img">'
        f"<title>The rooms of the code and what each imports</title><style>{style}</style>"
        f"<defs>{head}</defs>{''.join(parts)}</svg>\n"
    )


if __name__ == "__main__":
    (HERE / "_static" / "rooms.svg").write_text(draw(), encoding="utf-8")
