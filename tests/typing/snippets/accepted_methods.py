"""What a caller of a dispatched method may write: no checker may object to a line."""

from typing import assert_type

from typing_extensions import Self

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
backend_dispatch = dispatcher.backend_dispatch


class Distance:
    @backend_dispatch(name="Distance.pairwise")
    def pairwise(self, points: list[float], *, scale: float = 1.0) -> list[float]:
        return [scale * point for point in points]

    @backend_dispatch
    async def fetch(self, key: str) -> bytes:
        return key.encode()

    @staticmethod
    @backend_dispatch(name="Distance.norm")
    def norm(point: float) -> float:
        return abs(point)

    @classmethod
    @backend_dispatch(name="Distance.named")
    def named(cls, name: str) -> Self:
        return cls()

    @classmethod
    @backend_dispatch(name="Distance.made")
    def made(cls, name: str) -> "Distance":
        return cls()

    @classmethod
    @backend_dispatch(name="Distance.built", selector="engine")
    def built(cls, name: str) -> str:
        return name

    @property
    def cost(self) -> float:
        return self.norm_of_it(backend="cuda")

    @backend_dispatch(name="Distance.norm_of_it")
    def norm_of_it(self) -> float:
        return 1.0


class Finer(Distance):
    def pairwise_twice(self, points: list[float]) -> list[float]:
        return super().pairwise(self.pairwise(points), scale=2.0)


def the_hosts_own_parameters_and_return_type_are_kept(distance: Distance) -> None:
    assert_type(distance.pairwise([1.0]), list[float])
    assert_type(distance.pairwise([1.0], scale=2.0), list[float])
    assert_type(Distance.pairwise(distance, [1.0]), list[float])


def a_backend_is_chosen(distance: Distance) -> None:
    assert_type(distance.pairwise([1.0], backend="cuda"), list[float])
    assert_type(distance.pairwise([1.0], backend="cuda", tile_size=256), list[float])
    assert_type(Distance.pairwise(distance, [1.0], backend="cuda"), list[float])


async def a_coroutine_method_stays_one(distance: Distance) -> None:
    assert_type(await distance.fetch("x"), bytes)


def of_a_class(distance: Distance) -> None:
    assert_type(Distance.made("double"), "Distance")
    assert_type(Distance.made("double", backend="cuda", device=0), "Distance")
    assert_type(distance.made("double"), "Distance")
    assert_type(Distance.built("double"), str)
    assert_type(Distance.built("double", engine="cuda"), str)


def under_other_decorators(distance: Distance) -> None:
    assert_type(Distance.norm(1.0), float)
    assert_type(distance.cost, float)


def a_bound_method_that_a_module_exports(distance: Distance) -> None:
    pairwise = backend_dispatch(distance.pairwise)
    assert_type(pairwise([1.0], backend="cuda"), list[float])


class Kernel:
    def __call__(self, point: float) -> str:
        return str(point)


def callable_objects() -> None:
    kernel = backend_dispatch(name="kernel")(Kernel())
    assert_type(kernel(1.0), str)
    assert_type(kernel(1.0, backend="cuda"), str)
