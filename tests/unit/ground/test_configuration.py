"""A mistake in a host's configuration is reported when the dispatcher is made, with all others."""

import pytest

from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import BackendConfigurationError


def mistakes(**options):
    """Make a dispatcher with these options, and give what is wrong with it."""
    usual = {"entrypoint_group": "example_host.backends", "host_name": "example_host"}
    with pytest.raises(BackendConfigurationError) as caught:
        BackendDispatcher(**{**usual, **options})
    return caught.value.mistakes


def rule(**options):
    return {"trusted_backends": {"fast": {"package": "fast-backend", **options}}}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"entrypoint_group": ""}, "entrypoint_group must be a non-empty string"),
        ({"host_name": "  "}, "host_name must be a non-empty string"),
        ({"fallback": "never"}, "fallback must be one of 'warn', 'silent', 'error', not 'never'"),
        ({"untrusted": "deny"}, "untrusted must be one of 'warn', 'allow', 'refuse', not 'deny'"),
        ({"ignorable": "n_jobs"}, "ignorable must be a list or tuple of strings, not 'n_jobs'"),
        ({"ignorable": ["n_jobs", 3]}, "ignorable holds 3, which is no name"),
        ({"reserved_backends": ["gpu"]}, "reserved_backends must be a mapping"),
        ({"reserved_backends": {"no spaces": "Why."}}, "'no spaces' is not a valid backend name"),
        ({"reserved_backends": {"gpu": " "}}, "['gpu'] must be a reason"),
        ({"trusted_backends": ["fast"]}, "trusted_backends must be a mapping"),
        ({"trusted_backends": {"fast": "fast-backend"}}, "['fast'] must be a mapping"),
        (
            {"trusted_backends": {"no spaces": {"package": "x"}}},
            "'no spaces' is not a valid backend name",
        ),
        ({"trusted_backends": {3: {"package": "x"}}}, "a backend name must be a string, not int"),
        ({"trusted_backends": {"cpu": {"package": "x"}}}, "'cpu' is reserved"),
        ({"trusted_backends": {"fast": {}}}, "says nothing that could be verified"),
        (rule(package=3), "['package'] must be a non-empty string, not 3"),
        (rule(aliases="cuda"), "['aliases'] must be a list or tuple of strings, not 'cuda'"),
        (rule(package=" "), "['package'] must be a non-empty string, not ' '"),
        (rule(distributions=""), "['distributions'] holds '', which is no name"),
        (rule(entrypoints=[""]), "['entrypoints'] holds '', which is no name"),
        (rule(aliases=["fine", 3]), "['aliases'] holds 3, which is no name"),
        (rule(aliases=["no spaces"]), "'no spaces' is not a valid backend name"),
        (rule(aliases=["cpu"]), "'cpu' is reserved"),
        (rule(distributions=["fast", 3]), "['distributions'] holds 3, which is no name"),
        (rule(object_refs=3), "['object_refs'] must be a list or tuple"),
        (rule(alias=["cuda"]), "unknown key 'alias'; did you mean 'aliases'?"),
        (rule(Packages="x"), "unknown key 'Packages'; did you mean 'package'?"),
        (rule(module_prefix="x"), "did you mean 'module_prefixes'?"),
        (rule(xyz=3), "unknown key 'xyz'"),
    ],
)
def test_each_mistake_is_named(options, said):
    assert any(said in mistake for mistake in mistakes(**options))


def test_a_mistake_says_which_backend_it_is_about():
    assert all("trusted_backends['fast']" in mistake for mistake in mistakes(**rule(xyz=3)))


@pytest.mark.parametrize(
    ("other", "label"),
    [
        ({"Fast": {"package": "x"}}, "Fast"),
        ({"other": {"package": "x", "aliases": ["fast"]}}, "fast"),
        ({"other": {"package": "x", "aliases": ["QUICK"]}}, "QUICK"),
        ({"quick": {"package": "x"}}, "quick"),
    ],
)
def test_a_label_of_two_trusted_backends_is_a_mistake(other, label):
    trusted = {"fast": {"package": "fast-backend", "aliases": ["quick"]}, **other}
    (mistake,) = mistakes(trusted_backends=trusted)
    assert f"{label!r} already belongs to 'fast'" in mistake


@pytest.mark.parametrize("aliases", [["gpu"], ["GPU"]])
def test_a_label_that_is_trusted_and_reserved_is_a_mistake(aliases):
    (mistake,) = mistakes(reserved_backends={"gpu": "Why."}, **rule(aliases=aliases))
    assert f"{aliases[0]!r} is reserved" in mistake


def test_all_mistakes_are_reported_at_once():
    found = mistakes(
        entrypoint_group="",
        host_name="",
        fallback="never",
        untrusted="deny",
        ignorable="n_jobs",
        reserved_backends={"no spaces": "Why."},
        trusted_backends={"one": {"pakage": "x"}, "two": "x", "cpu": {"package": "x"}},
    )
    assert len(found) >= 9


def test_the_message_lists_every_mistake_and_names_the_host():
    with pytest.raises(BackendConfigurationError) as caught:
        BackendDispatcher(
            entrypoint_group="", host_name="example_host", fallback="never", untrusted="deny"
        )
    message = str(caught.value)
    assert "'example_host'" in message
    assert message.count("\n  - ") == 3
    assert all(mistake in message for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"trusted_backends": None, "reserved_backends": None},
        {"trusted_backends": {}, "reserved_backends": {}, "ignorable": ()},
        {"ignorable": {"n_jobs"}},
        {"ignorable": (name for name in ["n_jobs"])},
        {"reserved_backends": {"cpu": "Our own reason."}},
        {"trusted_backends": {"fast": {"entrypoints": ["fast"]}}},
        {"trusted_backends": {"fast": {"object_refs": ["fast:Adapter"]}}},
        {"trusted_backends": {"fast": {"module_prefixes": ("fast",)}}},
        {"trusted_backends": {"fast": {"distributions": {"fast-cu11", "fast-cu12"}}}},
        {"trusted_backends": {"fast": {"distributions": "fast-cu12", "module_prefixes": "fast"}}},
        rule(aliases=("fast", "FAST", "quick")),
        *[{"fallback": policy} for policy in ("warn", "silent", "error")],
        *[{"untrusted": policy} for policy in ("warn", "allow", "refuse")],
    ],
)
def test_what_is_right_is_accepted(options):
    dispatcher = BackendDispatcher(entrypoint_group="g.backends", host_name="host", **options)
    assert dispatcher.settings.backend == "cpu"


def test_a_lone_string_stands_for_itself(site, make_dispatcher):
    site.install("fast-cu12", entry_points={"fast": "fast"}, modules={"fast": "name = 'fast'"})
    trusted = {"fast": {"package": "fast-cells", "distributions": "fast-cu12"}}
    (found,) = make_dispatcher(trusted_backends=trusted).backends()
    assert (found.state, found.trusted) == ("installed", True)


def test_an_option_that_does_not_exist_is_an_error():
    with pytest.raises(TypeError, match="trusted"):
        BackendDispatcher(entrypoint_group="g.backends", host_name="host", trusted={})


def test_what_a_host_changes_in_its_mappings_afterwards_changes_nothing(site, make_dispatcher):
    trusted = {"fast": {"package": "fast-backend", "distributions": ["fast-backend"]}}
    dispatcher = make_dispatcher(trusted_backends=trusted, untrusted="refuse")
    trusted["fast"]["distributions"].append("evil")
    trusted["evil"] = {"package": "evil"}
    site.install("evil", entry_points={"evil": "evil"}, modules={"evil": "name = 'evil'"})
    assert [info.state for info in dispatcher.backends()] == ["refused"]
