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


def test_two_hosts_select_apart(make_host):
    one, another = make_host(), make_host(host_name="another_host")
    one.settings.backend = "mine"
    with another.settings.use_backend("other"):
        assert (one.where(), another.where()) == ("mine", "other")
    assert (one.where(), another.where()) == ("mine", "cpu")
