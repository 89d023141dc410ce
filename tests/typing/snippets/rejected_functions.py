"""Mistakes in calls: every checker must object to each marked line, and to no other."""

from typing import Any

from scverse_backends import BackendDispatcher
from scverse_backends.typing import Dispatched

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
backend_dispatch = dispatcher.backend_dispatch


@backend_dispatch
def scale(data: list[float], /, factor: float = 1.0, *, copy: bool = False) -> list[float]:
    return [value * factor for value in data]


@backend_dispatch(name="tl.count", ignorable=("n_jobs",))
def count(data: list[float], *, n_jobs: int = 1) -> int:
    return len(data)


@backend_dispatch
async def fetch(key: str) -> bytes:
    return key.encode()


def a_wrong_argument_of_the_host() -> None:
    scale()  # rejected
    scale("text")  # rejected
    scale([1.0], factor="large")  # rejected
    scale([1.0], 2.0, True)  # rejected
    scale([1.0], unknown=1)  # rejected
    count([1.0], n_jobs="all")  # rejected


def a_backends_option_without_its_backend() -> None:
    scale([1.0], tile_size=256)  # rejected


def a_backend_that_is_no_label() -> None:
    scale([1.0], backend=3)  # rejected
    scale([1.0], backend=(1, 2))  # rejected


def a_function_of_the_wrong_kind(step: Dispatched[[list[float]], list[float]]) -> None:
    a_function_of_the_wrong_kind(count)  # rejected
    a_function_of_the_wrong_kind(len)  # rejected
    step("text")  # rejected


def the_wrong_result() -> None:
    wrong: str = scale([1.0], backend="cuda")  # rejected


async def a_coroutine_that_nobody_awaited() -> None:
    wrong: bytes = fetch("x")  # rejected
    fetch(1)  # rejected


@backend_dispatch(name=3)  # rejected
def misnamed(data: Any) -> Any:
    return data


@backend_dispatch(parameter_aliases=["seed"])  # rejected
def misaliased(data: Any) -> Any:
    return data


@backend_dispatch(selector=True)  # rejected
def misselected(data: Any) -> Any:
    return data
