"""What a user of a dispatched class may write."""

from typing import assert_type

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")


@dispatcher.backend_class
class Model:
    def __init__(self, n_components: int) -> None:
        self.n_components = n_components

    def fit(self, data: list[float]) -> "Model":
        return self


class Special(Model):
    pass


def a_class_stays_a_class(model: Model) -> None:
    assert_type(Model(3).fit([1.0]), Model)
    assert_type(model.n_components, int)
    assert_type(Special(3), Special)
