"""Which choice holds: the call's, the block's, the process's, the environment's, or the host."""

import pytest

pytestmark = pytest.mark.usefixtures("backends")


def test_nothing_selected_is_the_host(host, site):
    assert host.where() == "cpu"
    assert (host.settings.backend, host.settings.backends) == ("cpu", ("cpu",))
    assert site.imported() == set()


def test_each_nearer_choice_stands_before_the_farther_ones(make_host, install, monkeypatch):
    install("third")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine")
    host = make_host()
    seen = [host.where()]
    host.settings.backend = "other"
    seen.append(host.where())
    with host.settings.use_backend("third"):
        seen += [host.where(), host.where(backend="cpu"), host.where()]
    seen.append(host.where())
    assert seen == ["mine", "other", "third", "cpu", "third", "other"]


def test_explaining_tells_which_choice_held(make_host, monkeypatch):
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine")
    host = make_host()

    def reason(**options):
        return host.settings.explain(host.where, **options).reason

    assert reason() == "selected by the environment variable EXAMPLE_HOST_BACKEND"
    host.settings.backend = "other"
    assert reason() == "selected by settings.backend"
    with host.settings.use_backend("mine"):
        assert reason() == "selected by use_backend"
        assert reason(backend="cpu") == "selected by the call's own argument"


def test_the_innermost_block_stands_before_the_outer_ones(host):
    with host.settings.use_backend("mine"):
        with host.settings.use_backend("other"):
            assert host.where() == "other"
        assert host.where() == "mine"
    assert host.where() == "cpu"


def test_the_calls_own_choice_stands_before_the_block(host):
    with host.settings.use_backend("mine"):
        assert host.where(backend="other") == "other"
        assert host.where() == "mine"


def test_an_explicit_none_chooses_nothing(host):
    host.settings.backend = "mine"
    assert host.where(backend=None) == "mine"
    with host.settings.use_backend("cpu"):
        assert host.where(backend=None) == "cpu"


@pytest.mark.parametrize("spelling", ["cpu", "CPU", "Cpu"])
def test_cpu_is_the_hosts_own_code_at_every_tier(host, spelling):
    host.settings.backend = "mine"
    assert host.where(backend=spelling) == "cpu"
    with host.settings.use_backend(spelling):
        assert (host.where(), host.settings.backend) == ("cpu", "cpu")
    host.settings.backend = spelling
    assert (host.where(), host.settings.backend) == ("cpu", "cpu")


def test_cpu_is_the_hosts_own_code_even_where_a_backend_claims_the_label(host, install):
    install("cpu")
    install("greedy", "cpu")
    with pytest.warns(UserWarning, match="'cpu' is not accepted"):
        assert host.where(backend="greedy") == "greedy"
    assert host.where(backend="cpu") == "cpu"
    assert host.settings.get_backend("cpu") is None


def test_only_what_is_selected_is_imported(host, site):
    host.settings.backend = "mine"
    assert (host.where(), site.imported()) == ("mine", {"mine_backend"})


def test_two_hosts_select_apart(make_host):
    one, another = make_host(), make_host(host_name="another_host")
    one.settings.backend = "mine"
    with another.settings.use_backend("other"):
        assert (one.where(), another.where()) == ("mine", "other")
    assert (one.where(), another.where()) == ("mine", "cpu")


def test_the_first_of_several_that_can_take_the_call_runs_it(host, install):
    only_where = "name = {name!r}\ndef where(): return {name!r}\n"
    install("narrow", source=only_where)
    with host.settings.use_backend("narrow", "mine"):
        assert host.where() == "narrow"
        assert host.through(lambda: "through") == "through"
        assert host.settings.explain(host.through, print).backend == "mine"
    assert host.where(backend=["other", "narrow"]) == "other"


def test_the_host_among_several_ends_the_search_without_a_fallback(make_host):
    host = make_host(fallback="error")
    with host.settings.use_backend("mine", "cpu", "other"):
        assert host.where() == "mine"
        assert host.only_here(lambda: "ran") == "ran"
    with host.settings.use_backend("cpu", "mine"):
        assert host.where() == "cpu"


def test_whoever_is_asked_in_vain_sends_the_call_on_and_the_host_is_last(host):
    host.settings.backend = ("mine", "other")
    with pytest.warns(UserWarning, match="'mine' does not implement it; 'other' does not"):
        assert host.only_here(lambda: "ran") == "ran"
