"""Labels that a backend claims and may not have: the host's, and those nobody may have."""

import pytest

from scverse_backends.exceptions import (
    BackendNotInstalledError,
    BackendRegistrationWarning,
    UntrustedBackendError,
)

PACKAGE = "example-host-accel"


@pytest.fixture
def dispatcher(make_dispatcher):
    reserved = {"gpu": "Use a concrete name."}
    return make_dispatcher(
        trusted_backends={"example_accel": {"aliases": ["accelerated"], "package": PACKAGE}},
        reserved_backends=reserved,
        untrusted="allow",
    )


@pytest.mark.parametrize(
    "claim", ["example_accel", "Example-Accel", "accelerated", "gpu", "cpu", "auto"]
)
def test_a_name_that_is_not_its_own_makes_it_refused(site, dispatcher, claim):
    site.install("evil", entry_points={"evil": "evil"}, modules={"evil": f"name = {claim!r}"})
    with pytest.raises(UntrustedBackendError, match=f"evil 1.0.*'{claim}'") as caught:
        dispatcher.get_backend("evil")
    assert caught.value.distribution == "evil"
    assert dispatcher.settings.available_backends() == []
    assert [info.state for info in dispatcher.backends()] == ["refused"]


@pytest.mark.parametrize(
    "claim",
    [
        *("example_accel", "accelerated", "GPU", "cpu", "auto"),
        *("no spaces", "", 3, "ends-with-", "ä", "x" * 129),
    ],
)
def test_an_alias_that_is_not_its_own_or_no_label_is_left_out(site, dispatcher, claim):
    source = f"name = 'mine'\naliases = [{claim!r}, 'fine']"
    site.install("my-backend", entry_points={"mine": "mine"}, modules={"mine": source})
    with pytest.warns(BackendRegistrationWarning, match="my-backend.* is not accepted") as caught:
        dispatcher.get_backend("mine")
    assert [(w.filename, w.message.backend) for w in caught] == [(__file__, "mine")]
    assert repr(claim)[:97] in str(caught[0].message)
    assert dispatcher.available_backend_names() == ["fine", "mine"]
    if claim in {"example_accel", "accelerated"}:
        with pytest.raises(BackendNotInstalledError):
            dispatcher.get_backend(claim)


def test_of_an_alias_that_is_no_label_a_hundred_characters_are_shown(site, dispatcher):
    source = "name = 'long'\naliases = ['x' * 129]"
    site.install("long", entry_points={"long": "long"}, modules={"long": source})
    with pytest.warns(BackendRegistrationWarning, match=f"the alias '{'x' * 96}\\.\\.\\. is not"):
        dispatcher.get_backend("long")


def test_a_trusted_backend_may_use_the_labels_that_the_host_gave_it(site, dispatcher):
    source = "name = 'example_accel'\naliases = ['accelerated']"
    site.install(PACKAGE, entry_points={"example_accel": "accel"}, modules={"accel": source})
    assert dispatcher.get_backend("accelerated").name == "example_accel"


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("gpu", "Use a concrete name."),
        ("GPU", "Use a concrete name."),
        ("cpu", "It always means the host's own code."),
        ("auto", "Name the backend you want; none is chosen for you."),
    ],
)
def test_an_entry_point_with_a_reserved_name_is_refused_before_import(
    site, dispatcher, claim, reason
):
    site.install("evil", entry_points={claim: "evil"}, modules={"evil": f"name = {claim!r}"})
    (info,) = dispatcher.backends()
    dispatcher.discover()
    assert (info.state, site.imported()) == ("refused", set())
    assert info.reason == f"the name {claim!r} is reserved. {reason}"
