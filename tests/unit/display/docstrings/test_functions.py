"""When docstrings change, and what of them stays."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import ModuleType, SimpleNamespace

import pytest

from scverse_backends.exceptions import BackendRegistrationWarning

DOC = """Scale values.

    Parameters
    ----------
    x : ndarray
        The values.
    factor : float
        By how much.
    """


@pytest.fixture
def scale():
    def scale(x, factor=1):
        return x

    scale.__doc__ = DOC
    return scale


@pytest.fixture
def tiled():
    def scale(x, factor=2, *, tiles: int = 4):
        """Scale.

        Parameters
        ----------
        tiles
            How many tiles.
        """

    return SimpleNamespace(name="tiled", scale=scale)


@pytest.fixture
def merged(dispatcher, tiled):
    """Decorate a function, let ``tiled`` be known, and give the docstring that is then shown."""

    def merged(func):
        public = dispatcher.backend_dispatch(func)
        with dispatcher.register(tiled):
            dispatcher.discover()
            return public.__doc__

    return merged


def entries(doc, name):
    return doc.count(f"\n    {name}")


class TestTheSelector:
    def test_the_selector_is_documented_from_the_moment_of_decoration(self, dispatcher, scale):
        doc = dispatcher.backend_dispatch(scale).__doc__
        assert doc.startswith(DOC.rstrip())
        assert entries(doc, "backend : str or sequence of str, optional\n") == 1
        assert doc.endswith("\n    ")

    def test_the_selector_is_documented_under_its_name(self, dispatcher, scale):
        doc = dispatcher.backend_dispatch(selector="engine")(scale).__doc__
        assert entries(doc, "engine : ") == 1
        assert "backend : " not in doc

    def test_without_one_nothing_changes(self, dispatcher, scale):
        assert dispatcher.backend_dispatch(selector=None)(scale).__doc__ == DOC

    def test_the_selector_names_the_backends_that_implement_the_function(
        self, dispatcher, scale, tiled
    ):
        public = dispatcher.backend_dispatch(scale)
        assert "'tiled'" not in public.__doc__
        with dispatcher.register(tiled), dispatcher.register(SimpleNamespace(name="other")):
            dispatcher.discover()
            assert "'tiled'" in public.__doc__
            assert "'other'" not in public.__doc__

    def test_the_hosts_own_function_keeps_its_own_docstring(self, dispatcher, scale, tiled):
        dispatcher.backend_dispatch(scale)
        with dispatcher.register(tiled):
            dispatcher.discover()
        assert scale.__doc__ == DOC


class TestWhenABackendBecomesKnown:
    def test_a_call_makes_it_known(self, dispatcher, scale, tiled):
        public = dispatcher.backend_dispatch(scale)
        with dispatcher.register(tiled):
            assert "tiles" not in public.__doc__
            public(1, backend="tiled")
            assert entries(public.__doc__, "tiles : int\n") == 1
            assert "How many tiles." in public.__doc__

    def test_explaining_makes_it_known(self, dispatcher, scale, tiled):
        public = dispatcher.backend_dispatch(scale)
        with dispatcher.register(tiled):
            dispatcher.settings.explain(public, 1, backend="tiled")
            assert "tiles :" in public.__doc__

    def test_a_function_decorated_after_discovery_shows_it_at_once(self, dispatcher, scale, tiled):
        with dispatcher.register(tiled):
            dispatcher.discover()
            assert "tiles :" in dispatcher.backend_dispatch(scale).__doc__

    def test_a_refresh_keeps_what_discovery_found(self, dispatcher, site, scale):
        site.backend(
            "tiled",
            "name = 'tiled'\ndef scale(x, factor=1, tiles=2): ...",
            reference="example_tiled",
            distribution="example-tiled",
        )
        dispatcher.refresh()
        public = dispatcher.backend_dispatch(scale)
        dispatcher.discover()
        first = public.__doc__
        assert "tiles : default 2" in first
        dispatcher.refresh()
        assert public.__doc__ == first

    def test_without_discovery_a_refresh_asks_nobody(self, dispatcher, scale, tiled):
        public = dispatcher.backend_dispatch(scale)
        with dispatcher.register(tiled):
            dispatcher.refresh()
            assert "tiles" not in public.__doc__

    def test_others_that_go_take_nothing_with_them(self, dispatcher, scale, tiled):
        public = dispatcher.backend_dispatch(scale)
        with dispatcher.register(tiled):
            with dispatcher.register(SimpleNamespace(name="other")):
                dispatcher.discover()
            assert "tiles :" in public.__doc__

    def test_a_default_that_the_host_forwards_is_not(self, dispatcher, scale, tiled):
        public = dispatcher.backend_dispatch(host_defaults=True)(scale)
        with dispatcher.register(tiled):
            dispatcher.discover()
            assert "by default" not in public.__doc__

    def test_a_renamed_parameter_is_no_option(self, dispatcher, scale):
        public = dispatcher.backend_dispatch(scale)
        renames = {"scale": {"factor": "by"}}
        mine = SimpleNamespace(name="mine", scale=lambda x, by=1: x, renames=renames)
        with dispatcher.register(mine):
            dispatcher.discover()
            assert [*inspect.signature(public).parameters] == ["x", "factor", "backend"]
            assert "Other Parameters" not in public.__doc__

    def test_two_backends_share_an_entry(self, dispatcher, scale, tiled):
        public = dispatcher.backend_dispatch(scale)
        also = SimpleNamespace(name="also", scale=lambda x, factor=3, tiles=9: x)
        with dispatcher.register(tiled), dispatcher.register(also):
            dispatcher.discover()
            assert entries(public.__doc__, "tiles : optional\n") == 1
            assert "Only with backends ``'also'``, ``'tiled'``. How many tiles." in public.__doc__
            said = (
                "\n        With backend ``'also'``, ``factor`` is ``3`` by default."
                "\n        With backend ``'tiled'``, ``factor`` is ``2`` by default.\n"
            )
            assert said in public.__doc__

    def test_what_is_shown_does_not_depend_on_who_came_first(self, make_dispatcher, scale, tiled):
        also = SimpleNamespace(name="also", scale=lambda x, factor=3, tiles=9, last=1: x)
        shown = set()
        for order in ([tiled, also], [also, tiled]):
            dispatcher = make_dispatcher()
            public = dispatcher.backend_dispatch(scale)
            for adapter in order:
                dispatcher.register(adapter)
                public(1, backend=adapter.name)
            shown.add((public.__doc__, str(inspect.signature(public))))
        assert len(shown) == 1


class TestDefaultsAndTypes:
    @pytest.fixture
    def shown(self, dispatcher, scale):
        """Give what is shown of an option with this default, or of this type."""

        def shown(option):
            def implementation(x, factor=1, **options):
                return x

            parameters = [*inspect.signature(scale).parameters.values(), option]
            implementation.__signature__ = inspect.Signature(parameters)
            public = dispatcher.backend_dispatch(scale)
            with dispatcher.register(SimpleNamespace(name="mine", scale=implementation)):
                dispatcher.discover()
                return public.__doc__.partition("option : ")[2].partition("\n")[0]

        return shown

    class Broken:
        def __repr__(self):
            raise ValueError

    @pytest.mark.parametrize(
        ("default", "text"),
        [
            (None, "default None"),
            ("a", "default 'a'"),
            (int, "default int"),
            (len, "default len"),
            ([*range(100)], "default [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16..."),
            ("a" * 58, f"default {'a' * 58!r}"),
            ("a" * 59, f"default '{'a' * 56}..."),
            ("a\nb", r"default 'a\nb'"),
            (Broken(), "default <Broken, whose repr raises ValueError>"),
            (inspect.Parameter.empty, "required"),
        ],
    )
    def test_a_default(self, shown, default, text):
        kind = inspect.Parameter.KEYWORD_ONLY
        assert shown(inspect.Parameter("option", kind, default=default)) == text

    def test_a_default_is_shown_without_its_address(self, shown):
        option = inspect.Parameter("option", inspect.Parameter.KEYWORD_ONLY, default=object())
        assert shown(option) == "default <object object>"

    @pytest.mark.parametrize(
        ("annotation", "text"),
        [(int, "int"), ("Sequence[int]", "Sequence[int]"), (list[int], "list[int]")],
    )
    def test_a_type(self, shown, annotation, text):
        kind = inspect.Parameter.KEYWORD_ONLY
        option = inspect.Parameter("option", kind, default=1, annotation=annotation)
        assert shown(option) == text


class TestDecoratorsOutside:
    @pytest.fixture
    def home(self, monkeypatch):
        """Give a module in which the host's names are found."""
        module = ModuleType("example_host_home")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return module

    @pytest.fixture
    def outer(self, dispatcher, scale, home):
        """Dispatch a function, wrap it as it is told, and keep it where a user finds it."""
        scale.__module__, scale.__qualname__ = home.__name__, "scale"

        def outer(change):
            public = dispatcher.backend_dispatch(scale)

            @functools.wraps(public)
            def wrapper(*args, **kwargs):
                return public(*args, **kwargs)

            wrapper.__doc__ = change(public.__doc__)
            home.scale = wrapper
            return wrapper

        return outer

    def test_outer_decorators_show_what_is_merged_later(self, dispatcher, outer, tiled):
        public = outer(lambda doc: doc)
        with dispatcher.register(tiled):
            dispatcher.discover()
            assert entries(public.__doc__, "tiles :") == 1
            assert "tiles" in inspect.signature(public).parameters
        assert "tiles" not in public.__doc__

    def test_text_that_they_added_stays(self, dispatcher, outer, tiled):
        public = outer(lambda doc: f"Deprecated.\n\n{doc}\n\n    .. note:: Appended.")
        with dispatcher.register(tiled):
            for _ in range(2):
                dispatcher.discover()
                assert public.__doc__.startswith("Deprecated.\n\nScale values.")
                assert public.__doc__.endswith("\n\n    .. note:: Appended.")
                assert entries(public.__doc__, "tiles :") == 1

    def test_outer_decorators_may_come_after_the_merge(self, dispatcher, outer, tiled):
        with dispatcher.register(tiled):
            dispatcher.discover()
            public = outer(lambda doc: f"{doc}\n    Appended.")
            assert "tiles :" in public.__doc__
        assert "tiles :" not in public.__doc__
        assert public.__doc__.endswith("\n    Appended.")

    @pytest.mark.parametrize("doc", [None, "Something else altogether."])
    def test_a_docstring_of_their_own_is_theirs(self, dispatcher, outer, tiled, doc):
        public = outer(lambda _: doc)
        with dispatcher.register(tiled):
            dispatcher.discover()
        assert public.__doc__ == doc

    def test_a_decorator_whose_docstring_cannot_change_does_no_harm(
        self, dispatcher, outer, home, tiled
    ):
        class Fixed:
            def __init__(self, wrapped):
                self.__wrapped__ = wrapped
                self.text = wrapped.__doc__

            @property
            def __doc__(self):
                return self.text

        home.scale = Fixed(outer(lambda doc: doc))
        with dispatcher.register(tiled):
            dispatcher.discover()
            assert "tiles :" in home.scale.__wrapped__.__doc__

    def test_another_object_of_that_name_is_left_alone(self, dispatcher, outer, home, tiled):
        public = outer(lambda doc: doc)
        home.scale = lambda: None
        home.scale.__doc__ = before = public.__doc__
        home.scale.__wrapped__ = home.scale
        with dispatcher.register(tiled):
            dispatcher.discover()
        assert home.scale.__doc__ == before


class TestWhatCannotBeShown:
    @pytest.fixture
    def install(self, site, dispatcher):
        def install(source):
            site.backend(
                "tiled",
                f"name = 'tiled'\n{source}",
                reference="example_tiled",
                distribution="example-tiled",
                version="2.0",
            )
            dispatcher.refresh()

        return install

    @pytest.mark.parametrize(
        ("parameter", "why"),
        [
            ("_secret=1", r"'_secret'.*its name is private"),
            ("backend=None", r"'backend'.*the host's selector"),
            ("rest=1", r"'rest'.*the host's own \*\*rest"),
        ],
    )
    def test_an_option_that_cannot_be_shown_is_left_out_and_reported_with_its_distribution(
        self, dispatcher, install, parameter, why
    ):
        def scale(x, **rest):
            return x

        scale.__doc__ = DOC
        public = dispatcher.backend_dispatch(scale)
        install(f"def scale(x, {parameter}, tiles=3): ...")
        with pytest.warns(BackendRegistrationWarning, match=why) as caught:
            dispatcher.discover()
        [warning] = [found.message for found in caught]
        assert (warning.distribution, warning.version) == ("example-tiled", "2.0")
        assert [*inspect.signature(public).parameters] == ["x", "backend", "tiles", "rest"]
        others = public.__doc__.partition("Other Parameters")[2]
        assert "tiles : default 3" in others
        assert f"\n    {parameter.partition('=')[0]} :" not in others

    def test_an_option_that_cannot_be_shown_is_reported_where_somebody_looks(
        self, dispatcher, scale
    ):
        public = dispatcher.backend_dispatch(scale)
        mine = SimpleNamespace(name="mine", scale=lambda x, factor=1, _secret=2: x)
        with dispatcher.register(mine):
            public(1, backend="mine")
            with pytest.warns(BackendRegistrationWarning, match="private"):
                inspect.signature(public).parameters  # noqa: B018
            assert [*inspect.signature(public).parameters] == ["x", "factor", "backend"]

    def test_an_implementation_that_cannot_be_fetched_is_reported(self, dispatcher, install, scale):
        public = dispatcher.backend_dispatch(scale)
        install("__all__ = ['scale']")
        with pytest.warns(BackendRegistrationWarning, match=r"'scale', which cannot be fetched"):
            dispatcher.discover()
        assert "'tiled'" not in public.__doc__
        with pytest.warns(BackendRegistrationWarning, match=r"'scale', which cannot be fetched"):
            dispatcher.backend_dispatch(scale)

    def test_looking_at_a_signature_hides_an_implementation_that_cannot_be_fetched(
        self, dispatcher, install, scale
    ):
        public = dispatcher.backend_dispatch(scale)
        install("__all__ = ['scale']")
        dispatcher.settings.available_backends()
        assert [*inspect.signature(public).parameters] == ["x", "factor", "backend"]

    def test_an_implementation_with_a_docstring_that_cannot_be_read(self, dispatcher, scale):
        class Scale:
            def __call__(self, x, factor=1, tiles=2):
                return x

            @property
            def __doc__(self):
                raise RuntimeError

        public = dispatcher.backend_dispatch(scale)
        with dispatcher.register(SimpleNamespace(name="mine", scale=Scale())):
            dispatcher.discover()
            assert "tiles : default 2\n        Only with backend ``'mine'``." in public.__doc__


def test_an_adapter_may_look_at_signatures_while_it_is_asked(dispatcher, scale):
    public = dispatcher.backend_dispatch(scale)
    looked = []

    class Mine:
        name = "mine"

        @property
        def scale(self):
            looked.append(str(inspect.signature(public)))
            return lambda x, factor=1, tiles=2: x

    with dispatcher.register(Mine):
        assert "tiles" in inspect.signature(public).parameters
    assert len(looked) == 1
    assert "tiles" not in looked[0]


@pytest.mark.parametrize("indent", ["", "  ", "    ", "\t", "\t\t", "        "])
@pytest.mark.parametrize("first", ["Scale values.", "\n{}Scale values.", "\\\n{}Scale values."])
def test_any_indentation_is_kept(merged, indent, first):
    def scale(x, factor=1):
        return x

    lines = ["", "Parameters", "----------", "x", "    The values.", "", "Returns", "-------", "x"]
    scale.__doc__ = "\n".join([first.format(indent), *(line and indent + line for line in lines)])
    doc = merged(scale)
    added = [line for line in doc.split("\n") if line not in scale.__doc__.split("\n")]
    assert f"{indent}tiles" in added
    deeper = indent + ("\t" if "\t" in indent else "    ")
    assert f"{deeper}Only with backend ``'tiled'``. How many tiles." in added
    assert all(line.startswith(indent) for line in added)


HEAD = inspect.cleandoc(DOC)
SECTION = "Scale.\n\nParameters\n----------"
OTHERS = "Other Parameters\n----------------"
# A docstring, and what it shows where the selector stands.
ENTERED = {
    "on the first line": (
        "Parameters\n    ----------\n    x\n        It.\n    ",
        "Parameters\n----------\nx\n    It.\nbackend\n",
    ),
    "without entries": (f"{SECTION}\n", f"{SECTION}\nbackend\n"),
    "of a list": (f"{SECTION}\n    * none", f"{SECTION}\n    * none\nbackend\n"),
    "of a list, in tabs": (
        "\n\t**Scale**.\n\n\tParameters\n\t----------\n\t    * none",
        "----------\n    * none\nbackend\n",
    ),
    "of a directive": (f"{SECTION}\n.. note:: There are none.", f"{SECTION}\nbackend : "),
    "with two rules": (f"{SECTION}\n----------\nx\n    It.", "    It.\nbackend\n"),
    "before a rule of another kind": (
        f"{HEAD}\nReturns\n-------\nx\n\nNotes\n=====\nNone.",
        "By how much.\nbackend : ",
    ),
    "before a directive": (f"{HEAD}\n.. note:: About all.", "By how much.\nbackend : "),
    "with a rule shorter than its title": (f"{HEAD}\nLater\n---\n    It.", "It.\nbackend : "),
    "behind a title that only ends like theirs": (
        f"Many Parameters\n---------------\nNot a list.\n\n{HEAD}",
        "By how much.\nbackend : ",
    ),
    "with a rule without a title": (
        f"{HEAD}\n    More.\n---------\n    A rule.",
        "A rule.\nbackend : ",
    ),
    "with words like the selector": (
        HEAD.replace("By how much.", "The backend of it, and backends."),
        "and backends.\nbackend : ",
    ),
    "with keywords that are not last": (f"{SECTION}\n**rest\n    A.\nx\n    B.", "B.\nbackend\n"),
}


@pytest.mark.parametrize(("doc", "shown"), ENTERED.values(), ids=ENTERED)
def test_the_selector_stands_at_the_end_of_a_section(dispatcher, scale, doc, shown):
    scale.__doc__ = doc
    found = inspect.cleandoc(dispatcher.backend_dispatch(scale).__doc__)
    assert shown in found
    assert found.count("\nbackend") == 1


LEFT_ALONE = {
    "a title apart from its rule": HEAD.replace("Parameters\n", "Parameters\n\n"),
    "nothing but other parameters": HEAD.replace("Parameters\n----------", OTHERS),
    "a selector among others": f"{HEAD}\n\n{OTHERS}\nbackend : str\n    Where it runs.",
    **{
        last: DOC.replace("factor : float", last)
        for last in ("x, backend", "backend", "backend : str", "backend: str")
    },
}


@pytest.mark.parametrize("doc", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_where_there_is_no_section_or_a_selector_nothing_is_added(dispatcher, scale, doc):
    scale.__doc__ = doc
    assert dispatcher.backend_dispatch(scale).__doc__ == doc


@pytest.mark.parametrize("title", ["Attributes", "Methods", "Returns", "Yields", "Receives"])
def test_other_parameters_stand_behind_what_numpydoc_wants_first(merged, scale, title):
    note = f"{title}\n{'-' * len(title)}\nx\n    It.\n\n.. note:: About it."
    scale.__doc__ = f"{inspect.cleandoc(DOC)}\n\n{note}\n\nNotes\n-----\nNone."
    doc = merged(scale)
    assert f"\n\n{note}\n\nOther Parameters\n" in doc


def test_other_parameters_stand_before_a_directive_that_follows_the_parameters(merged, scale):
    scale.__doc__ = f"{inspect.cleandoc(DOC)}\n\n.. note:: About all.\n\nNotes\n-----\nNone."
    doc = merged(scale)
    assert doc.index("backend : ") < doc.index("Other Parameters") < doc.index(".. note::")


def test_an_option_that_the_host_documents_with_stars_is_not_documented_twice(dispatcher, tiled):
    def scale(x, factor=1, **more):
        """Scale.

        Parameters
        ----------
        **tiles
            How many tiles each backend makes.
        """

    public = dispatcher.backend_dispatch(scale)
    with dispatcher.register(tiled):
        dispatcher.discover()
        assert "tiles" in inspect.signature(public).parameters
        assert "Other Parameters" not in public.__doc__


def test_type_hints_are_the_hosts_own_and_the_selectors(dispatcher, tiled):
    def scale(x: list[float], factor: int | None = 1) -> list[float]:
        return x

    public = dispatcher.backend_dispatch(scale)
    outer = functools.wraps(public)(lambda *args: public(*args, factor=2))
    with dispatcher.register(tiled):
        dispatcher.discover()
        hints = {"x": list[float], "factor": int | None, "return": list[float]}
        assert typing.get_type_hints(scale) == hints
        hints["backend"] = typing.Any
        assert typing.get_type_hints(public) == typing.get_type_hints(outer) == hints


def test_annotations_that_are_made_late_are_not_asked_for(dispatcher):
    def scale(x):
        return x

    def annotations(form):
        raise NameError("AnnData")

    scale.__annotate__ = annotations
    assert dispatcher.backend_dispatch(scale)([1]) == [1]


def test_threads_that_meet_new_backends_at_once_show_them_all(dispatcher, scale):
    public = dispatcher.backend_dispatch(scale)
    names = [f"b{number}" for number in range(20)]
    for name in names:
        source = f"lambda x, factor=1, *, option_{name}=1: x"
        dispatcher.register(SimpleNamespace(name=name, scale=eval(source)))  # noqa: S307
    together = Barrier(len(names), timeout=60)

    def call(name):
        together.wait()
        return public(1, backend=name)

    with ThreadPoolExecutor(len(names)) as pool:
        assert [*pool.map(call, names)] == [1] * len(names)
    options = {f"option_{name}" for name in names}
    assert options <= inspect.signature(public).parameters.keys()
    assert all(f"\n    {option} :" in public.__doc__ for option in options)
