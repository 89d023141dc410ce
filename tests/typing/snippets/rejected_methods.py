"""Mistakes in calls of methods: every checker must object to each marked line, and to no other."""

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
backend_dispatch = dispatcher.backend_dispatch


class Distance:
    @backend_dispatch(name="Distance.pairwise")
    def pairwise(self, points: list[float], *, scale: float = 1.0) -> list[float]:
        return [scale * point for point in points]

    @classmethod
    @backend_dispatch(name="Distance.made")
    def made(cls, name: str) -> "Distance":
        return cls()


def a_wrong_argument_of_the_host(distance: Distance) -> None:
    distance.pairwise()  # rejected
    distance.pairwise("text")  # rejected
    distance.pairwise([1.0], 2.0)  # rejected
    distance.pairwise([1.0], scale="large")  # rejected
    distance.pairwise([1.0], tile_size=256)  # rejected
    distance.pairwise([1.0], backend=3)  # rejected


def the_wrong_result(distance: Distance) -> None:
    wrong: str = distance.pairwise([1.0], backend="cuda")  # rejected
    made: str = Distance.made("double")  # rejected


class Backwards:
    value = backend_dispatch(name="Backwards.value")(property(lambda self: 0.5))  # rejected
