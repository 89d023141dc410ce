"""A host function, a backend that implements it, and every way of calling it there."""

import pytest


def function(signature):
    """Make a function of this signature that returns all it receives."""
    return eval(f"lambda {signature}: {{**locals()}}")  # noqa: S307 - tests write it


def named(text):
    """Give what is received, which is written as keywords."""
    return eval(f"dict({text})")  # noqa: S307 - as above


def renamed(text):
    return dict(pair.split("=") for pair in text.split(", ") if pair)


def rows(text):
    """Read a table: a line is a case, whose first cell is its name."""
    cells = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [pytest.param(*rest, id=name) for name, *rest in cells]


@pytest.fixture
def pair(dispatcher, offer):
    """Dispatch a host function ``func`` that ``mine`` implements: ``pair(host, implementation)``."""

    def pair(host, implementation, fallback="warn", renames=None, **options):
        offer(func=implementation, renames=renames or {})
        dispatcher.settings.fallback = fallback
        return dispatcher.backend_dispatch(name="func", **options)(host)

    return pair


@pytest.fixture
def outcome(dispatcher):
    """Make one call on a backend in every way there is; all must give the same."""

    def outcome(func, *args, on="mine", **kwargs):
        outcomes = [func(*args, backend=on, **kwargs)]
        with dispatcher.settings.use_backend(on):
            outcomes += [func(*args, **kwargs), func(*args, **kwargs)]
        assert [repr(found) for found in outcomes] == [repr(outcomes[0])] * 3
        return outcomes[0]

    return outcome


@pytest.fixture
def reasons(dispatcher):
    """Give the reasons for which backends would refuse a call."""

    def reasons(func, *args, on="mine", **kwargs):
        decision = dispatcher.settings.explain(func, *args, backend=on, **kwargs)
        return [refusal.reason for refusal in decision.refusals]

    return reasons
