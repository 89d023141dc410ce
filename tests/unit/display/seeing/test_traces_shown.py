"""What a trace shows in a notebook: the sum by function and backend, and call by call."""

import re
import time

import pytest


@pytest.fixture(autouse=True)
def installed(fast, settings):
    """A backend with a default of its own; what it lacks the host runs without a word."""
    settings.fallback = "silent"


def rows(html):
    """Give the texts of each row of cells."""
    return [
        re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    ]


def call_rows(trace):
    """Read the rows of the table of calls."""
    calls = trace._repr_html_().partition("<summary>Call by call")[2]
    return [row for row in rows(calls)[1:] if len(row) > 1]


def test_nothing_traced_yet(settings, read):
    elements, text = read(settings.trace()._repr_html_())
    assert text.startswith("Trace of example_host: 0 calls elsewhere calls in other threads")
    assert "table" not in elements


def test_the_summary_says_what_ran_where_with_each_remark_once(settings, scale, read):
    with settings.trace() as trace, settings.use_backend("fast"):
        for _ in range(3):
            scale([1], n_jobs=2)
        scale([1], copy=False)
    html = trace._repr_html_()
    _, text = read(html)
    assert text.startswith("Trace of example_host: 4 calls")
    first, detail, second, why, *_ = rows(html)[1:]
    assert "backends fast (fast-backend 1.2) fast" in text
    assert first[:3] == ["scale", "fast", "3"]
    assert detail == ["ignored n_jobs; default factor=2.0 (host: 1.0)"]
    assert second[:3] == ["scale", "cpu", "1"]
    assert why == ["1 as a fallback; skipped fast: does not take &#x27;copy&#x27;"]


def test_calls_stand_further_in_than_the_call_that_made_them(dispatcher, settings, scale):
    twice = dispatcher.backend_dispatch(name="twice")(lambda values: scale(scale(values)))
    with settings.trace() as trace:
        twice([1])
        scale([1])
    calls = [row[0] for row in call_rows(trace)]
    assert calls == ["twice", "  scale", "  scale", "scale"]


def test_what_raised_is_marked_and_quoted(settings, scale):
    with settings.trace() as trace, pytest.raises(TypeError):
        scale(["<b>"], None)
    html = trace._repr_html_()
    assert '<tr class="bad">' in html
    assert any("raised TypeError" in cell for row in rows(html) for cell in row)
    assert ["1 raised"] in rows(html)


def test_a_call_that_has_not_ended_says_so(dispatcher, settings):
    shown = []
    look = dispatcher.backend_dispatch(name="look")(lambda: shown.append(rows(trace._repr_html_())))
    with settings.trace() as trace:
        look()
    assert ["has not ended"] in shown[0]
    assert ["has not ended"] not in rows(trace._repr_html_())


def test_times_are_in_a_fitting_unit(dispatcher, settings):
    wait = dispatcher.backend_dispatch(name="wait")(lambda tenths: time.sleep(tenths / 10))
    with settings.trace() as trace:
        wait(0.01)
        wait(10)
    assert [row[2].split()[1] for row in call_rows(trace)] == ["ms", "s"]


def test_of_very_many_calls_the_first_are_listed(settings, scale, read):
    with settings.trace() as trace:
        for _ in range(1234):
            scale([1])
    html = trace._repr_html_()
    assert read(html)[1].startswith("Trace of example_host: 1,234 calls")
    assert "Call by call, the first 200" in html
    assert len(call_rows(trace)) == 200
