"""What ``settings`` and a dispatcher show of themselves: what is active, from where, what there is."""

import importlib.abc
import sys

import pytest

from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendRegistrationWarning,
    UntrustedBackendWarning,
)


def line(shown, start):
    """Give the line of a text that begins with something, as single-spaced words."""
    found = (" ".join(text.split()) for text in str(shown).splitlines())
    return next(text for text in found if text.startswith(start))


def test_nothing_is_selected_at_first(settings, fast):
    assert "example_host" in repr(settings).splitlines()[0]
    assert line(settings, "calls run on") == "calls run on cpu, the host itself"
    assert line(settings, "selected by") == "selected by nothing selected"
    assert line(settings, "fallback") == "fallback warn"


def test_a_block_is_nearer_than_the_process(settings, fast, dispatcher):
    settings.backend = "cpu"
    with settings.use_backend("fast", "cpu", fallback="error"):
        assert line(settings, "calls run on") == "calls run on fast, else cpu"
        assert line(settings, "selected by") == "selected by the block"
        assert line(settings, "fallback") == "fallback error"
        assert line(settings, "block") == "block fast, cpu error"
        assert line(settings, "process") == "process cpu warn settings.backend"
    assert line(settings, "selected by") == "selected by the process (settings.backend)"


def test_a_block_that_is_only_about_the_policy_selects_no_backend(settings, fast):
    settings.backend = "fast"
    with settings.use_backend(fallback="error"):
        assert line(settings, "block") == "block - error"
        assert line(settings, "selected by") == "selected by the process (settings.backend)"
        settings.backend = "cpu"
        assert line(settings, "block") == "block cpu error settings.backend"
        assert line(settings, "calls run on") == "calls run on cpu"


def test_what_a_snapshot_brought_says_so(settings, fast):
    with settings.use_backend("fast"):
        snapshot = settings.snapshot()
    with snapshot:
        assert line(settings, "selected by") == "selected by the block (a snapshot)"


def test_what_a_call_selects_holds_inside_of_it(dispatcher, settings, fast):
    seen = []
    outer = dispatcher.backend_dispatch(name="outer")(lambda: seen.append(repr(settings)))
    settings.fallback = "silent"
    outer(backend="fast")
    assert line(seen[0], "selected by") == "selected by the call"
    assert line(seen[0], "call ") == "call fast -"


def test_the_environments_choice_is_shown_and_left_open(monkeypatch, site, make_dispatcher, fast):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "Fast, cpu")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND_FALLBACK", "silent")
    settings = make_dispatcher(untrusted="allow").settings
    shown = repr(settings)
    assert line(shown, "calls run on") == "calls run on Fast, else cpu"
    assert "EXAMPLE_HOST_BACKEND=Fast, cpu; not looked for yet" in shown
    assert line(shown, "fallback") == "fallback silent"
    assert site.imported() == set()
    assert settings.backends == ("fast", "cpu")
    assert line(settings, "environment").startswith("environment fast, cpu silent")
    assert "not looked for yet" not in repr(settings)
    settings.backend = "cpu"
    assert "EXAMPLE_HOST_BACKEND=Fast, cpu; replaced by settings.backend" in repr(settings)


def test_what_replaces_the_environments_choice_is_said(monkeypatch, make_dispatcher):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "fast")
    settings = make_dispatcher().settings
    settings.backend = "cpu"
    assert line(settings, "selected by") == "selected by the process (settings.backend)"
    assert "EXAMPLE_HOST_BACKEND=fast; replaced by settings.backend" in repr(settings)


def test_an_environment_that_sets_the_policy_alone_selects_nothing(monkeypatch, make_dispatcher):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND_FALLBACK", "error")
    settings = make_dispatcher().settings
    for _ in ("before it is looked for", "after"):
        assert line(settings, "calls run on") == "calls run on cpu, the host itself"
        assert line(settings, "fallback") == "fallback error"
        assert settings.backend == "cpu"


def test_an_environment_that_says_nonsense_is_shown_not_raised(monkeypatch, make_dispatcher):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "no/such backend")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND_FALLBACK", "sometimes")
    dispatcher = make_dispatcher()
    for shown in (repr(dispatcher.settings), repr(dispatcher)):
        assert "no/such backend" in shown
        assert "sometimes, which is not a policy" in shown
    with pytest.raises(BackendConfigurationError, match="sometimes"):
        _ = dispatcher.settings.fallback


def test_showing_imports_no_backend(site, dispatcher, settings, fast):
    for shown in (settings, dispatcher):
        assert line(shown, "fast") == "fast installed yes fast-backend 1.2 fast, quick"
        assert "fast-backend 1.2" in shown._repr_html_()
    assert site.imported() == set()


def test_a_loaded_backend_shows_every_label_that_names_it(dispatcher, settings, fast):
    settings.get_backend("fast")
    assert line(settings, "fast") == "fast loaded yes fast-backend 1.2 fast, swift, quick"


def test_a_backend_of_this_process_says_so(dispatcher, offer, settings):
    with offer(aliases=("own",)):
        assert line(settings, "mine") == "mine registered yes this process mine, own"
    assert "Backends: none is installed" in repr(settings)


def test_aliases_in_a_set_are_shown_in_the_same_order_in_every_run(offer, settings):
    with offer(aliases={*"abcdefgh"}):
        assert line(settings, "mine").endswith(" mine, a, b, c, d, e, f, g, h")


def test_an_untrusted_backend_and_a_broken_one(site, settings):
    site.install("other", entry_points={"other": "other_module"}, modules={"other_module": ""})
    assert line(settings, "other") == "other installed no other 1.0 other"
    with (
        pytest.warns(UntrustedBackendWarning, match="other 1.0"),
        pytest.warns(BackendRegistrationWarning, match="it has no `name`"),
    ):
        assert settings.available_backends() == []
    assert line(settings, "other") == "other broken no other 1.0"
    assert "it has no `name`" in " ".join(repr(settings).split())


def test_showing_does_not_use_up_the_warning_of_an_impostor(site, dispatcher, settings):
    site.install("evil", entry_points={"fast": "evil_module"}, modules={"evil_module": ""})
    assert line(settings, "fast") == "fast refused no evil 1.0"
    assert "it claims the trusted name 'fast'" in repr(settings)
    with pytest.warns(UntrustedBackendWarning, match="evil") as given:
        dispatcher.backends()
        dispatcher.backends()
    assert len(given) == 1
    assert given[0].filename == __file__


def test_showing_leaves_the_warning_of_a_manifest_to_the_first_use(site, dispatcher, settings):
    site.install("other", entry_points={"other": "other"}, modules={"other": "name = 'other'"})
    site.write("other.toml", "this is no TOML")
    assert line(settings, "other") == "other installed no other 1.0 other"
    with pytest.warns(BackendRegistrationWarning, match="its manifest") as given:
        dispatcher.backends()
        dispatcher.backends()
    assert len(given) == 1


def test_metadata_that_cannot_be_read_at_all_is_said_not_raised(monkeypatch, settings):
    class Finder(importlib.abc.MetaPathFinder):
        def find_distributions(self, context=None):
            raise RuntimeError("the disk is gone")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert "cannot be read (RuntimeError: the disk is gone)" in " ".join(repr(settings).split())
    assert "the disk is gone" in settings._repr_html_()


def test_a_block_says_where_it_holds(settings, fast):
    block = settings.use_backend("fast", "cpu", fallback="error")
    assert repr(block) == (
        "<use_backend('fast', 'cpu', fallback='error'): "
        "holds in a with block, or in a function that it decorates>"
    )
    with block:
        pass
    assert settings.backend == "cpu"


def test_a_dispatcher_says_what_it_dispatches_and_trusts(dispatcher, scale):
    assert "example_host" in repr(dispatcher).splitlines()[0]
    assert line(dispatcher, "entry points").startswith("entry points tests.example_host.backends")
    assert line(dispatcher, "functions") == "functions 1: scale"
    assert line(dispatcher, "trusts") == "trusts fast"
    assert line(dispatcher, "other backends") == (
        "other backends run, with a warning when one is first used"
    )


def test_a_dispatcher_of_many_functions_counts_them(make_dispatcher):
    dispatcher = make_dispatcher(untrusted="refuse")
    assert line(dispatcher, "functions") == "functions none yet"
    for letter in "abcdefghijk":
        dispatcher.backend_dispatch(name=letter)(lambda x: x)
    assert line(dispatcher, "functions") == "functions 11: a, b, c, d, e, f, g, h, …"
    assert line(dispatcher, "other backends") == "other backends refused"
    assert line(dispatcher, "trusts") == "trusts no backend"


def test_a_notebook_is_told_the_same(read, dispatcher, settings, scale, fast):
    with settings.use_backend("fast"):
        for shown in (settings, dispatcher):
            elements, text = read(shown._repr_html_())
            assert elements.count("table") == 2
            assert set(" ".join(repr(shown).split()).split()) <= set(" ".join(text.split()).split())


class TestATrustedBackendThatIsNotInstalled:
    def test_is_shown_with_what_installs_it(self, settings):
        assert line(settings, "fast") == "fast absent yes pip install fast-backend fast, quick"

    def test_is_not_missed_where_an_adapter_of_this_process_answers(self, dispatcher, offer):
        with offer("fast"):
            assert "absent" not in str(dispatcher.settings)
        assert line(dispatcher.settings, "fast").startswith("fast absent")


def test_the_variable_that_would_select_is_named(make_dispatcher):
    settings = make_dispatcher(host_name="my_host").settings
    assert line(settings, "environment") == "environment - - MY_HOST_BACKEND is not set"


class TestAVariableThatIsSetTooLate:
    """The environment is read when the dispatcher is made, which is when the host is imported."""

    @pytest.fixture
    def environment(self, make_dispatcher, monkeypatch):
        def environment(before, after):
            if before:
                monkeypatch.setenv("MY_HOST_BACKEND", before)
            settings = make_dispatcher(host_name="my_host").settings
            monkeypatch.setenv("MY_HOST_BACKEND", after)
            return line(settings, "environment")

        return environment

    def test_is_told(self, environment):
        assert environment(None, "fast") == (
            "environment - - MY_HOST_BACKEND=fast was set too late: "
            "set it before the host is imported"
        )

    def test_is_told_beside_the_value_that_holds(self, environment):
        found = environment("other", "fast")
        assert "MY_HOST_BACKEND=other; MY_HOST_BACKEND=fast was set too late" in found

    @pytest.mark.parametrize("after", ["fast", " fast ", ""])
    def test_is_not_told_of_one_that_was_not_changed_to_another(self, environment, after):
        assert "too late" not in environment("fast", after)


def test_an_applied_snapshot_is_shown_as_the_process_s_choice(settings, fast, monkeypatch):
    with settings.use_backend("fast"):
        snapshot = settings.snapshot()
    snapshot.apply()
    assert line(settings, "process") == "process fast warn a snapshot"
    assert line(settings, "selected by") == "selected by the process (a snapshot)"
    assert line(settings, "environment").startswith("environment - - ")
