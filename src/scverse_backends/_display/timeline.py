"""The timeline: calls along time, one line for each backend, as HTML that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from scverse_backends._ground.rendering import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scverse_backends._ground.rendering import Tone

DEEPEST = 4
"""Calls further inside of others are drawn as high as these."""

KEYS: dict[Tone, str] = {"warning": "in the place of a backend", "bad": "raised"}
"""What the colours say that a line does not."""


class Bar(NamedTuple):
    """One call: its line, when it began and how long it took, how deep it is, and what to say of it."""

    lane: str
    start: float
    duration: float
    depth: int
    title: str
    tone: Tone


def timeline(bars: Sequence[Bar], note: str = "") -> str:
    """Draw calls along time."""
    begin = min(bar.start for bar in bars)
    length = max(bar.start + bar.duration for bar in bars) - begin or 1.0
    lanes = dict.fromkeys(bar.lane for bar in sorted(bars, key=lambda bar: bar.start))
    drawn = "".join(
        f"<dt>{_plain(lane)}</dt><dd>"
        + "".join(_bar(bar, begin, length) for bar in bars if bar.lane == lane)
        + "</dd>"
        for lane in lanes
    )
    tones = {bar.tone for bar in bars}
    keys = (f'<i class="{tone}"></i> {what}' for tone, what in KEYS.items() if tone in tones)
    said = "".join(f"<p>{line}</p>" for line in (*keys, _plain(note)) if line)
    axis = f'<dt></dt><dd class="axis"><span>0 s</span><span>{length:.3g} s</span></dd>'
    return f'<figure class="timeline"><style>{STYLE}</style><dl>{drawn}{axis}</dl>{said}</figure>'


def _bar(bar: Bar, begin: float, length: float) -> str:
    left = 100 * (bar.start - begin) / length
    width = 100 * bar.duration / length
    inset = 100 * min(bar.depth, DEEPEST) / (2 * DEEPEST + 2)
    place = f"left:{left:.3f}%;width:{width:.3f}%;top:{inset:.0f}%;bottom:{inset:.0f}%"
    return f'<i class="{bar.tone}" style="{place}" title="{_plain(bar.title)}"></i>'


def _plain(text: str) -> str:
    return escape(printable(text))


# A bar has at least two pixels, so that a quick call is seen; printers leave out backgrounds otherwise.
STYLE = """
.scverse-backends .timeline { margin: .4em 0 .8em; max-width: 60em;
  dl { grid-template-columns: max-content 1fr; align-items: center; margin: 0; }
  dd { position: relative; width: auto; height: 1.5em; margin: 0; overflow: hidden;
    border-bottom: 1px solid var(--line); }
  i { position: absolute; min-width: 2px; background: currentColor; opacity: .75;
    box-shadow: inset -1px 0 light-dark(#fff, #000);
    print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  i:hover { opacity: 1; }
  i.good { background: var(--good); }
  i.warning { background: var(--warning); }
  i.bad { background: var(--bad); }
  p { margin: .2em 0 0; opacity: .75; }
  p i { position: static; display: inline-block; width: .8em; height: .8em; opacity: 1; }
  .axis { display: flex; justify-content: space-between; border: 0; opacity: .75; }
}
"""
