"""The timeline of a trace: calls along time, one line for each backend, without a script or a file."""

import re

import pytest


@pytest.fixture(autouse=True)
def installed(fast, settings):
    """A backend; what it lacks the host runs without a word."""
    settings.fallback = "silent"


def lanes(html):
    """Give the bars of each line, as class, style and title."""
    figure = re.search(r'<figure class="timeline">.*?</figure>', html, re.DOTALL)[0]
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", figure, re.DOTALL)
    bar = r'<i class="(.*?)" style="(.*?)" title="(.*?)"></i>'
    return {name: re.findall(bar, bars) for name, bars in found}


def test_each_backend_has_a_line_with_its_calls(settings, scale):
    with settings.trace() as trace, settings.use_backend("fast"):
        scale([1])
        scale([1])
        scale([1], copy=False)
    found = lanes(trace._repr_html_())
    assert {name: [tone for tone, *_ in bars] for name, bars in found.items()} == {
        "fast": ["good", "good"],
        "cpu": ["warning"],
    }
    assert all(title.startswith("scale: ") for bars in found.values() for *_, title in bars)


def places(bars):
    number = r"left:([0-9.]+)%;width:([0-9.]+)%;top:([0-9]+)%"
    return [tuple(map(float, re.match(number, style).groups())) for _, style, _ in bars]


def test_a_call_inside_another_is_drawn_within_it(dispatcher, settings, scale):
    twice = dispatcher.backend_dispatch(name="twice")(lambda values: scale(scale(values)))
    with settings.trace() as trace:
        twice([1])
    (bars,) = lanes(trace._repr_html_()).values()
    (left, width, top), *inner = sorted(places(bars), key=lambda place: -place[1])
    assert (left, top) == (0, 0)
    assert all(left < x < x + w <= 100.01 and w < width and y > top for x, w, y in inner)


def test_a_recursive_function_is_drawn_to_a_depth(dispatcher, settings):
    @dispatcher.backend_dispatch(name="down")
    def down(count):
        return count and down(count - 1)

    with settings.trace() as trace:
        down(20)
    (bars,) = lanes(trace._repr_html_()).values()
    assert max(top for *_, top in places(bars)) < 50


def test_names_of_others_are_escaped(scale, settings):
    code = compile("scale([1])", '<"&>', "exec")
    with settings.trace() as trace:
        exec(code, {"scale": scale})  # noqa: S102 - code of a file with an odd name
    ((_, _, title),) = lanes(trace._repr_html_())["cpu"]
    assert title.endswith("&lt;&quot;&amp;&gt;:1")


def test_a_colour_that_is_shown_is_explained_and_no_other(settings, scale):
    with settings.trace() as trace, settings.use_backend("fast"):
        scale([1])
        assert "in the place of a backend" not in trace._repr_html_()
        scale([1], copy=False)
    assert '<i class="warning"></i> in the place of a backend' in trace._repr_html_()


def test_of_very_many_calls_the_longest_are_drawn(settings, scale):
    with settings.trace() as trace:
        for _ in range(1234):
            scale([1])
    html = trace._repr_html_()
    assert sum(map(len, lanes(html).values())) == 1000
    assert "The 1,000 longest calls; 234 are left out." in html


def test_tables_can_be_sorted_and_read_without_that(settings, scale, read):
    with settings.trace() as trace:
        scale([1])
    html = trace._repr_html_()
    assert html.count('<table class="sortable">') == 2
    assert html.count("<script>") == 1
    assert "<script>" not in settings._repr_html_()
