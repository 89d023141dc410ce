"""One line makes what is selected in the client hold in the tasks that it sends."""

import asyncio
import os
import socket
from contextlib import contextmanager

import dask
import dask.array as da
import pytest
from distributed import Client, LocalCluster, futures_of

from scverse_backends.dask_plugin import HeldResultError, carry_selection
from scverse_backends.exceptions import (
    BackendLoadError,
    BackendSnapshotError,
)

pytestmark = pytest.mark.slow

TASKS = """
    import time
    import numpy as np
    from distributed import get_client, worker_client
    import {name} as host
    def number(block): return block + {{"cpu": 0, "fast": 1, "other": 2}}[host.settings.backend]
    def wait(_): time.sleep(5)
    def send(): return get_client().submit(host.seen).result()
    def send_secession():
        with worker_client() as client:
            return client.submit(host.seen).result()
    class Counter:
        def __init__(self): self.made = host.seen()
        def look(self): return self.made
"""


@contextmanager
def cluster(**options):
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": ":0"} | options
    with LocalCluster(**options) as started, Client(started) as client:
        yield client


@pytest.fixture(scope="module")
def loaded(shared_world):
    """A host, and a module of tasks that workers can import as well."""
    shared_world.site.write(f"{shared_world.name}_tasks.py", TASKS.format(name=shared_world.name))
    return shared_world.load(), __import__(f"{shared_world.name}_tasks")


@pytest.fixture
def host(loaded):
    host, _ = loaded
    yield host
    del host.settings.backend


@pytest.fixture(scope="module")
def tasks(loaded):
    return loaded[1]


@pytest.fixture(scope="module", params=["processes", "threads"])
def client(request, loaded):
    """A client that carries the host's selection, of workers elsewhere or of one in this process."""
    elsewhere = request.param == "processes"
    with cluster(processes=elsewhere, n_workers=2 if elsewhere else 1) as client:
        assert (os.getpid() in client.run(os.getpid).values()) is not elsewhere
        carry_selection(client, loaded[0].settings)
        yield client


def selecting(host, *labels):
    return host.settings.use_backend(*labels, fallback="error")


def test_submitted_calls_run_under_what_is_selected_where_they_are_sent(client, host):
    assert client.submit(host.where).result() == "cpu"
    for label in ("fast", "other", "cpu"):
        with selecting(host, label):
            assert client.submit(host.seen).result() == ((label,), "error")
            assert set(client.gather(client.map(lambda _, ask: ask(), range(4), ask=host.ask))) == {
                {"cpu": "cpu"}.get(label, f"{label} 1.0")
            }
    assert client.submit(host.where).result() == "cpu"


def test_the_same_call_under_two_selections_is_two_calls(client, host):
    futures = {}
    for label in ("fast", "other"):
        with selecting(host, label):
            futures[label] = client.submit(host.where)
    with selecting(host, "fast"):
        again = client.submit(host.where)
    assert client.gather(futures) == {"fast": "fast 1.0", "other": "other 1.0"}
    assert again.key == futures["fast"].key != futures["other"].key
    assert again.key.startswith("where-")


def test_delayed_calls_run_under_what_is_selected_where_they_are_computed(client, host):
    with selecting(host, "other"):
        lazy = dask.delayed(host.where)()
    for label in ("fast", "other", "fast"):
        with selecting(host, label):
            assert lazy.compute() == f"{label} 1.0"
            assert dask.compute(lazy) == (f"{label} 1.0",)
            assert client.compute(lazy).result() == f"{label} 1.0"
    assert lazy.compute() == "cpu"


def test_a_result_that_is_held_is_not_taken_for_that_of_another_selection(client, host, tasks):
    array = da.zeros((4, 4), chunks=2).map_blocks(tasks.number, dtype=float)
    with selecting(host, "fast"):
        held = array.persist()
        assert array.compute().max() == 1
    with selecting(host, "other"):
        both = [dask.delayed(host.where)(), array]
        for compute in (array.compute, array.persist, lambda: client.compute(both)):
            with pytest.raises(HeldResultError, match="another selection") as caught:
                compute()
            assert caught.value.key in {future.key for future in futures_of(held)}
        # What builds on what is held uses it.
        assert (held + 1).compute().max() == held.max().compute() + 1 == 2
        assert (held + 1).persist().compute().max() == 2
        assert held.map_blocks(tasks.number, dtype=float).compute().max() == 3
        # What Dask computes in one step does not meet what is held.
        assert (array + 1).compute().max() == 3
        del held, caught
        assert array.compute().max() == 2


def test_steps_of_unfinished_work_are_not_taken_for_another_selections(client, host, tasks):
    step = dask.delayed(tasks.number)(0)
    with selecting(host, "fast"):
        unfinished = client.compute(dask.delayed(tasks.wait)(step))
    with selecting(host, "other"), pytest.raises(HeldResultError):
        client.compute(dask.delayed(abs)(step))
    unfinished.cancel()


def test_a_published_result_is_not_taken_for_another_selections(client, host, tasks):
    lazy = dask.delayed(tasks.number)(0)
    with selecting(host, "fast"):
        client.publish_dataset(number=client.compute(lazy))
    with selecting(host, "other"), pytest.raises(HeldResultError):
        client.compute(lazy)
    with Client(client.scheduler.address) as second:
        carry_selection(second, host.settings)
        with selecting(host, "other"), pytest.raises(HeldResultError):
            second.compute(lazy)
    assert client.get_dataset("number").result() == 1
    client.unpublish_dataset("number")


def test_a_result_that_another_client_computed_on_the_host_is_the_hosts(client, host, tasks):
    lazy = dask.delayed(tasks.number)(0)
    with Client(client.scheduler.address) as second:
        future = second.compute(lazy)
        assert future.result() == client.compute(lazy).result() == 0
        with selecting(host, "fast"), pytest.raises(HeldResultError):
            client.compute(lazy)
        del future


def test_a_key_of_the_users_own_names_one_result(client, host):
    with selecting(host, "fast"):
        future = client.submit(host.where, key="mine")
        assert client.submit(host.where, key="mine").result() == future.result() == "fast 1.0"
    with selecting(host, "other"):
        for send in (
            lambda: client.submit(host.where, key="mine"),
            lambda: client.map(lambda _: host.where(), [1], key=["mine"]),
        ):
            with pytest.raises(HeldResultError) as caught:
                send()
            assert caught.value.key == "mine"
    del future


def test_what_dask_takes_besides_collections_is_taken_while_anything_is_held(client, host):
    with selecting(host, "fast"):
        held = dask.delayed(max)(1, 2).persist()
    one = dask.delayed(abs)(-1)
    assert client.gather(client.compute([one, 5])) == [1, 5]
    assert client.compute(client.submit(abs, -1)).result() == 1
    assert client.compute(5) == 5
    assert client.gather(client.compute({one})) == [1]
    del held


def test_a_delayed_call_of_what_is_bound_keeps_its_own(client, host):
    with selecting(host, "other"):
        lazy = dask.delayed(host.settings.snapshot().bind(host.where))()
    with selecting(host, "fast"):
        assert lazy.compute() == "other 1.0"


def test_coroutine_functions_run_under_it_too(client, host):
    with selecting(host, "fast"):
        assert client.submit(host.where_async).result() == "fast 1.0"
        assert client.submit(host.ask_async).result() == "fast 1.0"


def test_a_trace_is_told_once_of_each_call_that_tasks_make(client, host):
    with selecting(host, "fast"), host.settings.trace() as trace:
        client.submit(host.where).result()
        dask.delayed(host.ask)().compute()
    assert [(record.function, record.backend) for record in trace.records] == [
        ("where", "fast")
    ] * 2


def test_an_actor_is_made_under_it(client, host, tasks):
    with selecting(host, "fast"):
        counter = client.submit(tasks.Counter, actor=True).result()
    assert counter.look().result() == (("fast",), "error")


@pytest.mark.parametrize("name", ["send", "send_secession"])
def test_what_a_task_sends_goes_under_what_the_task_was_sent_with(client, host, tasks, name):
    with selecting(host, "fast"):
        assert client.submit(getattr(tasks, name)).result() == (("fast",), "error")
    assert client.submit(getattr(tasks, name)).result() == (("cpu",), "warn")


def test_the_process_wide_default_is_carried_and_changes_with_the_next_call(client, host):
    host.settings.backend = "fast"
    assert client.submit(host.where).result() == "fast 1.0"
    host.settings.backend = "other"
    assert client.submit(host.where).result() == "other 1.0"


def test_workers_that_come_later_know_of_it(client, host):
    workers = client.scheduler_info()["workers"]
    client.cluster.scale(len(workers) + 1)
    client.wait_for_workers(len(workers) + 1)
    new = [address for address in client.scheduler_info()["workers"] if address not in workers]
    with selecting(host, "fast"):
        assert client.submit(host.where, workers=new).result() == "fast 1.0"
    client.cluster.scale(len(workers))


def test_carrying_twice_changes_nothing(client, host):
    carry_selection(client, host.settings)
    with selecting(host, "fast"):
        assert client.submit(host.seen).result() == (("fast",), "error")


def test_errors_of_the_work_stay_what_they_are(client, host):
    with selecting(host, "fast"), pytest.raises(ZeroDivisionError):
        client.submit(divmod, 1, 0).result()
    assert client.submit(host.where).result() == "cpu"


def test_another_client_and_what_is_no_task_are_left_alone(client, host):
    with selecting(host, "fast"), Client(client.scheduler.address) as other:
        assert other.submit(host.where).result() == "cpu"
        assert set(client.run(host.where).values()) == {"cpu"}
        snapshot = host.settings.snapshot()
        assert set(client.run(snapshot.bind(host.where)).values()) == {"fast 1.0"}


def test_the_plugin_can_be_taken_out_again(client, host):
    client.unregister_worker_plugin(f"scverse_backends:{host.settings.snapshot().host}")
    with selecting(host, "fast"):
        assert dask.delayed(host.where)().compute() == "cpu"
    carry_selection(client, host.settings)
    with selecting(host, "fast"):
        assert dask.delayed(host.where)().compute() == "fast 1.0"


def test_two_hosts_may_be_carried(client, host, shared_world):
    source = (shared_world.site.folder / f"{shared_world.name}.py").read_text(encoding="utf-8")
    shared_world.site.write(
        "second_host.py", source.replace(f'host_name="{shared_world.name}"', 'host_name="second"')
    )
    second = __import__("second_host")
    carry_selection(client, second.settings)
    with selecting(host, "fast"), second.settings.use_backend("other"):
        assert client.submit(host.where).result() == "fast 1.0"
        assert client.submit(second.where).result() == "other 1.0"


def test_an_asynchronous_client_carries_it(host, tasks):
    async def main():
        options = {"n_workers": 1, "processes": False, "dashboard_address": ":0"}
        async with (
            LocalCluster(asynchronous=True, **options) as started,
            Client(started, asynchronous=True) as client,
        ):
            await carry_selection(client, host.settings)
            with selecting(host, "fast"):
                submitted = await client.submit(host.where)
                lazy = dask.delayed(host.where)()
                future = client.compute(lazy)
                computed = await future
            with selecting(host, "other"):
                with pytest.raises(HeldResultError):
                    client.compute(lazy)
                del future
                await asyncio.sleep(0.1)
                again = await client.compute(lazy)
            return submitted, computed, again

    assert asyncio.run(main()) == ("fast 1.0", "fast 1.0", "other 1.0")


class TestAWorkerThatIsNotLikeItsClient:
    @pytest.fixture
    def raised(self, world):
        """Give what reaches the client when its workers find something else installed."""
        host = world.load()
        host.dispatcher.get_backend("fast")

        def raised(kind):
            errors = []
            with cluster() as client, selecting(host, "fast"):
                carry_selection(client, host.settings)
                for call in (host.where, host.where_async, host.seen, host.ask_silently):
                    for sent in (client.compute(dask.delayed(call)()), client.submit(call)):
                        with pytest.raises(kind) as caught:
                            sent.result(timeout=60)
                        errors.append(caught.value)
                # What never calls the host does without.
                for sent in (client.compute(dask.delayed(sum)([1, 2])), client.submit(sum, [1, 2])):
                    assert sent.result(timeout=60) == 3
            assert {error.machine for error in errors} == {socket.gethostname()}
            assert all("'fast'" in str(error) for error in errors)
            return str(errors[0])

        return raised

    def test_a_broken_backend(self, world, raised):
        world.install("fast", source="class Boom(Exception): pass\nraise Boom('no libcuda')")
        assert "Boom: no libcuda" in raised(BackendLoadError)

    def test_no_host(self, world):
        host = world.load()
        with cluster() as client, selecting(host, "fast"):
            carry_selection(client, host.settings)
            client.run(exec, f"import sys; sys.modules[{world.name!r}] = None")
            for sent in (client.compute(dask.delayed(sum)([1, 2])), client.submit(sum, [1, 2])):
                with pytest.raises(BackendSnapshotError, match=world.name):
                    sent.result(timeout=60)

    def test_no_library(self, world, tmp_path):
        """Carrying raises at once, and leaves the client as it was."""
        host = world.load()
        shadow = tmp_path / "scverse_backends.py"
        shadow.write_text("raise ModuleNotFoundError('not on this worker')", encoding="utf-8")
        hide = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
for name in [*sys.modules]:
    if name.startswith("scverse_backends"): del sys.modules[name]
"""
        with cluster() as client:
            client.run(exec, hide)
            with pytest.raises(Exception, match="not on this worker"):
                carry_selection(client, host.settings)
            with selecting(host, "fast"):
                assert client.submit(sum, [1, 2]).result(timeout=60) == 3
