"""An adapter may call the host function it replaces: that nested call goes to the host."""

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

HOST = """
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(
        entrypoint_group={group!r}, host_name="lab_host", untrusted="allow", fallback="error"
    )
    settings = dispatcher.settings
    @dispatcher.backend_dispatch
    def neighbors(*, then=None, host_only=None):
        return ["host neighbors", *(then() if then else ())]
    @dispatcher.backend_dispatch
    def umap(*, then=None):
        return ["host umap", *neighbors()]
    @dispatcher.backend_dispatch
    async def tsne(*, then=None, host_only=None):
        return ["host tsne", *(await then() if then else ())]
    @dispatcher.backend_dispatch
    def rows():
        yield "host row"
    @dispatcher.backend_dispatch
    def countdown(depth):
        return ["host", *(countdown(depth - 1) if depth else ())]
"""

ADAPTER = """
    import lab_host as lab
    name = {name!r}
    aliases = ["{name}-alias"]
    __all__ = ["neighbors", "umap", "tsne", "rows", "countdown"]
    def neighbors(*, then=None):
        return ["{name} neighbors", *(then or lab.neighbors)()]
    def umap(*, then=None):
        return ["{name} umap", *(then or lab.neighbors)()]
    async def tsne(*, then=None):
        return ["{name} tsne", *await (then or lab.tsne)()]
    def rows():
        yield "{name} row"
        yield from lab.rows()
    def countdown(depth):
        return ["{name}", *lab.countdown(depth)]
"""


@pytest.fixture
def lab(site):
    """Import a real host module, for which backends that import it are installed."""
    site.write("lab_host.py", HOST.format(group="tests.example_host.backends"))
    for name in ("mine", "other"):
        site.backend(name, ADAPTER.format(name=name))
    return importlib.import_module("lab_host")


WAYS = {
    "default": lambda lab, call: (setattr(lab.settings, "backend", "mine"), call())[1],
    "block": lambda lab, call: lab.settings.use_backend("mine")(call)(),
    "call": lambda lab, call: call(backend="mine"),
    "preference": lambda lab, call: lab.settings.use_backend("mine", "other", "cpu")(call)(),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def on_mine(request, lab):
    """Call a function on the backend ``mine``, chosen in each way in which it can be."""
    return lambda call: request.param(lab, call)


def test_an_adapter_may_call_the_function_it_replaces_again_and_again(lab, on_mine):
    assert on_mine(lab.neighbors) == on_mine(lab.neighbors) == ["mine neighbors", "host neighbors"]


def test_another_function_runs_there_and_the_way_back_through_it_leads_to_the_host(lab):
    with lab.settings.use_backend("mine"):
        assert lab.countdown(2) == ["mine", "host", "host", "host"]
        assert lab.umap() == ["mine umap", "mine neighbors", "host neighbors"]
        ran = lab.neighbors(then=lambda: lab.umap(then=lab.neighbors))
    assert ran == ["mine neighbors", "mine umap", "host neighbors"]


NESTED = {
    "by its name": lambda lab: lab.neighbors(backend="mine"),
    "by its alias": lambda lab: lab.neighbors(backend="MINE_alias"),
    "by preference": lambda lab: lab.neighbors(backend=["mine", "other"]),
    "by a block": lambda lab: lab.settings.use_backend("mine")(lab.neighbors)(),
    "with an argument that only the host takes": lambda lab: lab.neighbors(host_only=1),
}


@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED)
def test_choosing_the_same_backend_again_leads_to_the_host_too(lab, on_mine, nested):
    ran = on_mine(lambda **options: lab.neighbors(then=lambda: nested(lab), **options))
    assert ran == ["mine neighbors", "host neighbors"]


def test_another_backend_may_be_chosen_inside_and_lead_back_to_neither(lab):
    def back():
        return lab.neighbors(backend="mine")

    ran = lab.neighbors(then=lambda: lab.neighbors(then=back, backend="other"), backend="mine")
    assert ran == ["mine neighbors", "other neighbors", "host neighbors"]


def test_explaining_inside_tells_that_the_host_runs_it(lab):
    def explain():
        decision = lab.settings.explain(lab.neighbors)
        return [decision.backend, decision.reason]

    with lab.settings.use_backend("mine"):
        ran = lab.neighbors(then=explain)
        assert lab.settings.explain(lab.neighbors).backend == "mine"
    assert ran[:2] == ["mine neighbors", "cpu"]
    assert "calling the function it replaces" in ran[2]


def test_an_implementation_that_raised_is_chosen_again_afterwards(lab):
    def fail():
        raise KeyError("lost")

    with lab.settings.use_backend("mine"):
        for _ in range(2):
            with pytest.raises(KeyError, match="lost"):
                lab.neighbors(then=fail)
        assert lab.neighbors() == ["mine neighbors", "host neighbors"]


def test_threads_that_run_the_same_function_at_once_are_not_taken_for_one_another(lab):
    lab.settings.backend = "mine"
    entered, finish = Event(), Event()

    def wait():
        entered.set()
        assert finish.wait(timeout=60)
        return lab.neighbors()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lab.neighbors, then=wait)
        assert entered.wait(timeout=60)
        assert lab.neighbors() == ["mine neighbors", "host neighbors"]
        assert lab.neighbors(backend="mine") == ["mine neighbors", "host neighbors"]
        finish.set()
        assert waiting.result(timeout=60) == ["mine neighbors", "host neighbors"]


def test_a_coroutine_may_await_the_function_it_replaces(lab, on_mine):
    async def suspended():
        await asyncio.sleep(0)
        return await lab.tsne(backend="mine")

    async def main():
        with lab.settings.use_backend("mine"):
            return await lab.tsne(), await lab.tsne(then=suspended)

    assert asyncio.run(on_mine(lab.tsne)) == ["mine tsne", "host tsne"]
    assert asyncio.run(main()) == (["mine tsne", "host tsne"],) * 2


def test_coroutines_that_run_the_same_function_at_once_are_not_taken_for_one_another(lab):
    async def main():
        lab.settings.backend = "mine"
        meeting = asyncio.Barrier(3)

        async def meet():
            await meeting.wait()
            return await lab.tsne()

        return await asyncio.gather(*(lab.tsne(then=meet) for _ in range(3)))

    assert asyncio.run(main()) == [["mine tsne", "host tsne"]] * 3


def test_a_generator_function_leads_to_the_host_while_it_is_iterated(lab, on_mine):
    assert on_mine(lambda **choice: [*lab.rows(**choice)]) == ["mine row", "host row"]
