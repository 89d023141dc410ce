"""Installed: folders of distributions as an installer would leave them, and their modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "bench_host.backends"

ADAPTER = """\
name = {name!r}
__all__ = ["one", "ten"]


def one(x):
    return x


def ten(a, b, c, d=1, e=2, f=3, *, g=4, h=5, i=6, j=7):
    return a
"""


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


def install(
    site: Path, distribution: str, name: str | None = None, *, before: str = "", module: str = ""
) -> None:
    """Install a distribution; with a name it is a backend, whose module may do more before.

    Another module may be given in place of the small one.
    """
    info = site / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    if name is None:
        return
    entry = f"[{GROUP}]\n{name} = {distribution}\n"
    (info / "entry_points.txt").write_text(entry, encoding="utf-8")
    module = before + (module or ADAPTER.format(name=name))
    (site / f"{distribution}.py").write_text(module, encoding="utf-8")
