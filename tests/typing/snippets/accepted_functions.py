"""What a caller of a dispatched function may write: no checker may object to a line."""

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

from scverse_backends import BackendDispatcher
from scverse_backends.typing import Dispatched, DispatchedBy, Labels

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
backend_dispatch = dispatcher.backend_dispatch


@backend_dispatch
def scale(data: list[float], /, factor: float = 1.0, *, copy: bool = False) -> list[float]:
    return [value * factor for value in data]


@backend_dispatch(name="tl.count", ignorable=("n_jobs",), host_defaults=True)
def count(data: list[float], *, n_jobs: int = 1) -> int:
    return len(data)


@backend_dispatch(selector="engine", parameter_aliases={"values": "data"})
def label(data: list[float]) -> str:
    return str(data)


@backend_dispatch(selector=None)
def first(data: list[float]) -> float:
    return data[0]


@backend_dispatch
async def fetch(key: str) -> bytes:
    return key.encode()


def the_hosts_own_parameters_and_return_type_are_kept() -> None:
    assert_type(scale([1.0]), list[float])
    assert_type(scale([1.0], 2.0, copy=True), list[float])
    assert_type(count([1.0], n_jobs=2), int)
    assert_type(label([1.0]), str)
    assert_type(first([1.0]), float)


def a_selector_of_another_name_is_accepted() -> None:
    assert_type(label([1.0], engine="cuda"), str)
    assert_type(label([1.0], engine=["cuda", "cpu"], tile_size=256), str)
    chosen: DispatchedBy[[list[float]], str] = label
    assert_type(chosen([1.0]), str)


def a_backend_is_chosen_by_label_or_by_order_of_preference() -> None:
    assert_type(scale([1.0], backend="cuda"), list[float])
    assert_type(scale([1.0], backend=("cuda", "tiled")), list[float])
    assert_type(scale([1.0], backend=["cuda", "tiled"]), list[float])
    assert_type(scale([1.0], backend=None), list[float])


def a_backends_own_options_come_with_its_name() -> None:
    assert_type(scale([1.0], backend="tiled", tile_size=256), list[float])
    assert_type(count([1.0], backend="tiled", tile_size=256), int)


async def a_coroutine_function_stays_one() -> None:
    assert_type(await fetch("x"), bytes)
    assert_type(await fetch("x", backend="remote", timeout=1.0), bytes)
    waiting: Coroutine[Any, Any, bytes] = fetch("x")
    await waiting


def a_dispatched_function_goes_where_the_plain_one_went() -> None:
    plain: Callable[[list[float]], list[float]] = scale
    assert_type(plain([1.0]), list[float])


def a_parameter_may_be_a_dispatched_function(step: Dispatched[[list[float]], str]) -> None:
    assert_type(step([1.0]), str)
    assert_type(step([1.0], backend="cuda"), str)


def a_callers_own_choice_is_passed_on(choice: Labels | None) -> list[float]:
    return scale([1.0], backend=choice)


def a_dispatched_function_has_a_name() -> str:
    return scale.__name__ + scale.__qualname__
