"""Who may serve a trusted name is decided from metadata, before any of its code runs."""

import re

import pytest

from scverse_backends.exceptions import (
    BackendNotInstalledError,
    UnknownBackendError,
    UntrustedBackendError,
    UntrustedBackendWarning,
)

PACKAGE, NAME = "example-host-accel", "example_accel"
RULE = {"aliases": ["accelerated"], "package": PACKAGE}


def trusting(**narrower):
    """Trust `example_accel`, by the given rules besides the distribution."""
    return {"example_accel": {**RULE, **narrower}}


def install(site, distribution, entry_point, reference="some_backend.adapter", *, source=""):
    module = reference.partition(":")[0]
    text = "name = 'example_accel'\nclass Adapter:\n    name = 'example_accel'\n" + source
    site.install(distribution, entry_points={entry_point: reference}, modules={module: text})


IMPOSTORS = {
    "another distribution": ({}, "evil", NAME, "evil_module"),
    "a distribution of nearly the name": ({}, f"{PACKAGE}2", NAME, "evil_module"),
    "the name and a sign": ({}, f"{PACKAGE}-", NAME, "evil_module"),
    "the name without its signs": ({}, PACKAGE.replace("-", ""), NAME, "evil_module"),
    "another distribution, in another spelling": ({}, "evil", "Example-Accel", "evil_module"),
    "another distribution, by an alias": ({}, "evil", "accelerated", "evil_module"),
    "another entry-point name": ({"entrypoints": [NAME]}, PACKAGE, "accelerated", "evil_module"),
    "another object reference": ({"object_refs": ["accel:Adapter"]}, PACKAGE, NAME, "accel"),
    "a module outside the prefix": ({"module_prefixes": ["accel"]}, PACKAGE, NAME, "evil_module"),
    "a module whose name only begins like the prefix": (
        {"module_prefixes": ["accel"]},
        PACKAGE,
        NAME,
        "accelerator.adapter",
    ),
    "a module around the prefix": (
        {"module_prefixes": ["accel.adapter"]},
        PACKAGE,
        NAME,
        "accel:adapter",
    ),
}


class TestImpostors:
    @pytest.fixture(params=[*IMPOSTORS.values()], ids=[*IMPOSTORS])
    def impostor(self, request, site, make_dispatcher):
        """A host, and one distribution that claims a trusted name without the right to it."""
        rules, distribution, entry_point, reference = request.param
        install(site, distribution, entry_point, reference)
        return make_dispatcher(trusted_backends=trusting(**rules)), distribution

    def test_an_impostor_is_refused_with_a_warning_that_names_its_distribution(self, impostor):
        dispatcher, distribution = impostor
        with pytest.warns(UntrustedBackendWarning, match=f"refuses.*{distribution} 1.0") as caught:
            (info,) = dispatcher.backends()
        assert [(w.filename, w.message.distribution) for w in caught] == [(__file__, distribution)]
        assert (info.state, info.trusted, info.reason) == (
            "refused",
            False,
            caught[0].message.reason,
        )

    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
    def test_the_reason_lists_everything_that_does_not_match(self, site, make_dispatcher):
        install(site, "evil", "accelerated", "evil_module")
        trusted = trusting(
            distributions=["accel-cu11", "accel-cu12"],
            entrypoints=["example_accel"],
            object_refs=["accel:Adapter"],
            module_prefixes=["accel"],
        )
        (info,) = make_dispatcher(trusted_backends=trusted).backends()
        assert info.reason == (
            "it claims the trusted name 'example_accel', but "
            "comes from 'evil', not 'accel-cu11' or 'accel-cu12'; "
            "its entry point is 'accelerated', not 'example_accel'; "
            "it loads 'evil_module', not 'accel:Adapter'; "
            "it loads 'evil_module', outside 'accel'"
        )

    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
    def test_nothing_that_a_user_may_ask_for_imports_it(self, site, impostor):
        dispatcher, distribution = impostor
        with pytest.raises(BackendNotInstalledError, match=f"pip install {PACKAGE}") as caught:
            dispatcher.get_backend("example_accel")
        with pytest.raises(UnknownBackendError):
            dispatcher.get_backend("an-alias-nobody-has")
        dispatcher.discover()
        dispatcher.refresh()
        assert caught.value.refused == (distribution,)
        assert dispatcher.settings.available_backends() == []
        assert dispatcher.available_backend_names() == []
        assert site.imported() == set()

    @pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
    def test_the_genuine_backend_beside_it_is_served(self, site, make_dispatcher):
        install(site, "evil", "example_accel", "evil_module")
        install(site, PACKAGE, "example_accel", "accel.adapter")
        dispatcher = make_dispatcher(trusted_backends=trusting())
        assert dispatcher.get_backend("accelerated").__name__ == "accel.adapter"
        assert "evil_module" not in site.imported()


@pytest.mark.parametrize(
    ("rules", "distribution", "entry_point", "reference"),
    [
        ({}, PACKAGE, "example_accel", "accel"),
        ({}, "Example_Host.Accel", "example_accel", "accel"),
        ({}, PACKAGE, "accelerated", "accel"),
        ({}, PACKAGE, "another_name", "accel"),
        ({"entrypoints": ["example-accel"]}, PACKAGE, "example_accel", "accel"),
        ({"object_refs": ["accel:Adapter"]}, PACKAGE, "example_accel", "accel:Adapter"),
        ({"module_prefixes": ["accel"]}, PACKAGE, "example_accel", "accel"),
        ({"module_prefixes": ["accel"]}, PACKAGE, "example_accel", "accel.inner.adapter:Adapter"),
        ({"module_prefixes": ["accel."]}, PACKAGE, "example_accel", "accel.adapter"),
        ({"module_prefixes": ["other", "accel"]}, PACKAGE, "example_accel", "accel.adapter"),
        ({"distributions": ["accel-cu11", "accel-cu12"]}, "accel-cu11", NAME, "accel"),
        ({"distributions": ["accel-cu11", "accel-cu12"]}, "accel-cu12", NAME, "accel"),
    ],
)
def test_who_matches_everything_that_the_host_configured_is_trusted(
    site, make_dispatcher, rules, distribution, entry_point, reference
):
    install(site, distribution, entry_point, reference)
    dispatcher = make_dispatcher(trusted_backends=trusting(**rules), untrusted="refuse")
    for label in ("example_accel", "accelerated"):
        assert dispatcher.get_backend(label).name == "example_accel"
    assert [(info.state, info.trusted) for info in dispatcher.backends()] == [("loaded", True)]


def test_a_trusted_backend_that_is_absent_is_reported_with_what_to_install(site, make_dispatcher):
    dispatcher = make_dispatcher(trusted_backends=trusting(distributions=["accel-cu12"]))
    with pytest.raises(BackendNotInstalledError, match=f"pip install {PACKAGE}$") as caught:
        dispatcher.get_backend("Accelerated")
    assert (caught.value.label, caught.value.backend) == ("Accelerated", "example_accel")
    assert caught.value.refused == ()


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"entrypoints": ["fast"]}, "its entry point is 'quick', not 'fast'"),
        ({"object_refs": ["accel:Adapter"]}, "it loads 'accel', not 'accel:Adapter'"),
        ({"module_prefixes": ["fast"]}, "it loads 'accel', outside 'fast'"),
    ],
)
def test_a_package_installed_in_another_way_than_trusted_is_told_so(
    site, make_dispatcher, rules, reason
):
    install(site, PACKAGE, "quick", "accel")
    dispatcher = make_dispatcher(trusted_backends={"fast": {"package": PACKAGE, **rules}})
    with pytest.raises(UntrustedBackendError, match=re.escape(reason)) as caught:
        dispatcher.get_backend("fast")
    assert (caught.value.backend, caught.value.distribution) == ("quick", PACKAGE)
    assert "not trusted as 'fast'" in str(caught.value)
    assert site.imported() == set()


def test_a_distribution_may_serve_several_trusted_names(site, make_dispatcher):
    site.install(
        "two-in-one",
        entry_points={"one": "two_in_one.one", "two": "two_in_one.two"},
        modules={"two_in_one.one": "name = 'one'", "two_in_one.two": "name = 'two'"},
    )
    rules = {"one": {"package": "two-in-one"}, "two": {"package": "two-in-one"}}
    dispatcher = make_dispatcher(trusted_backends=rules)
    assert dispatcher.get_backend("two").name == "two"
    assert "two_in_one.one" not in site.imported()
    assert dispatcher.get_backend("one").name == "one"


@pytest.mark.parametrize("point", [NAME, "bbb"])
def test_of_one_distributions_entry_points_the_one_that_bears_the_trusted_name_serves_it(
    site, make_dispatcher, point
):
    """Or, where none bears it, the one whose adapter does."""
    site.install(
        PACKAGE,
        entry_points={"aaa": "accel.other", point: "accel.adapter"},
        modules={"accel.other": "name = 'aaa'", "accel.adapter": "name = 'example_accel'"},
    )
    dispatcher = make_dispatcher(trusted_backends=trusting())
    assert dispatcher.get_backend(NAME).__name__ == "accel.adapter"
    assert ("accel.other" in site.imported()) is (point != NAME)


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.UntrustedBackendWarning")
def test_of_an_absent_backend_only_its_own_impostors_are_named(site, make_dispatcher):
    install(site, "evil", "example_accel", "evil_module")
    install(site, "wicked", "other", "wicked_module")
    install(site, "unknown", "something_else", "unknown_module")
    trusted = {**trusting(), "other": {"package": "other-backend"}}
    with pytest.raises(BackendNotInstalledError) as caught:
        make_dispatcher(trusted_backends=trusted).get_backend("accelerated")
    assert caught.value.refused == ("evil",)


def test_an_impostor_does_not_keep_a_trusted_name_from_what_serves_it(site, make_dispatcher):
    install(site, "evil", NAME, "evil_module")
    install(site, PACKAGE, "accel", "accel_module")
    dispatcher = make_dispatcher(trusted_backends=trusting())
    with pytest.warns(UntrustedBackendWarning, match="evil"):
        dispatcher.settings.backend = NAME
    assert dispatcher.settings.backend == NAME
