"""Which choice and which fallback policy hold: of the call, block, process, environment or host."""

import warnings

import pytest

from scverse_backends.exceptions import BackendFallbackError, BackendFallbackWarning

pytestmark = pytest.mark.usefixtures("backends")


def test_nothing_selected_is_the_host(host, site):
    assert host.where() == "cpu"
    assert (host.settings.backend, host.settings.backends) == ("cpu", ("cpu",))
    assert site.imported() == set()


def test_each_nearer_choice_stands_before_the_farther_ones_and_is_told(
    make_host, install, monkeypatch
):
    install("third")
    monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "mine")
    host = make_host()

    def seen(**options):
        return host.where(**options), host.settings.explain(host.where, **options).reason

    environment = "selected by the environment variable EXAMPLE_HOST_BACKEND"
    assert seen() == ("mine", environment)
    host.settings.backend = "other"
    assert seen() == ("other", "selected by settings.backend")
    with host.settings.use_backend("third"):
        assert seen() == ("third", "selected by use_backend")
        assert seen(backend="cpu") == ("cpu", "selected by the call's own argument")
        assert seen() == ("third", "selected by use_backend")
    assert seen() == ("other", "selected by settings.backend")


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


def outcome(host, **options):
    """Tell what happens to a call that no selected backend can take."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            ran = host.only_here(lambda: "ran", **options)
        except BackendFallbackError:
            ran = "refused"
    assert all(warning.category is BackendFallbackWarning for warning in caught)
    return ran, len(caught)


OUTCOMES = {"warn": ("ran", 1), "silent": ("ran", 0), "error": ("refused", 0)}


@pytest.mark.parametrize("policy", OUTCOMES)
def test_the_host_sets_the_policy_that_holds_at_first(make_host, policy):
    host = make_host(fallback=policy)
    assert host.settings.fallback == policy
    assert outcome(host, backend="mine") == OUTCOMES[policy]


@pytest.mark.parametrize("policy", OUTCOMES)
def test_a_process_wide_policy_replaces_the_hosts_for_every_kind_of_choice(make_host, policy):
    host = make_host(fallback="warn" if policy == "error" else "error")
    host.settings.fallback = policy
    seen = [host.settings.fallback, outcome(host, backend="mine")]
    with host.settings.use_backend("mine"):
        seen += [host.settings.fallback, outcome(host), outcome(host, backend="other")]
    host.settings.backend = "mine"
    seen.append(outcome(host))
    assert seen == [policy, *[OUTCOMES[policy]], policy, *[OUTCOMES[policy]] * 3]


@pytest.mark.parametrize("policy", OUTCOMES)
def test_a_blocks_policy_holds_inside_and_ends_with_it(make_host, policy):
    before = "warn" if policy == "error" else "error"
    host = make_host(fallback=before)
    host.settings.backend = "mine"
    with host.settings.use_backend(fallback=policy):
        assert (host.settings.fallback, outcome(host)) == (policy, OUTCOMES[policy])
        assert outcome(host, backend="other") == OUTCOMES[policy]
    assert (host.settings.fallback, outcome(host)) == (before, OUTCOMES[before])


def test_a_block_without_a_policy_has_that_of_the_block_around_it(host):
    with host.settings.use_backend("mine", fallback="error"), host.settings.use_backend("other"):
        assert outcome(host) == ("refused", 0)
        with host.settings.use_backend("mine", fallback="silent"):
            assert outcome(host) == ("ran", 0)
        assert host.settings.fallback == "error"
    assert host.settings.fallback == "warn"


def test_setting_the_policy_or_the_backend_inside_a_block_changes_that_block(host):
    with host.settings.use_backend("mine"):
        host.settings.fallback = "error"
        assert (host.settings.fallback, outcome(host)) == ("error", ("refused", 0))
        assert (host.settings.backend, host.where()) == ("mine", "mine")
        host.settings.backend = "other"
        assert (host.settings.fallback, outcome(host)) == ("error", ("refused", 0))
        assert (host.settings.backend, host.where()) == ("other", "other")
    assert host.settings.fallback == "warn"


@pytest.mark.parametrize("policy", ["loud", "WARN", "", None, 1])
def test_a_policy_that_does_not_exist_is_refused_and_changes_nothing(host, policy):
    with pytest.raises(ValueError, match="'warn', 'silent', 'error'"):
        host.settings.fallback = policy
    assert host.settings.fallback == "warn"
