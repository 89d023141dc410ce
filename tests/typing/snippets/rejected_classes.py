"""What a checker must object to: a dispatched class is still the class."""

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
backend_class = dispatcher.backend_class


@backend_class
class Model:
    def __init__(self, n_components: int) -> None:
        self.n_components = n_components


Model("three")  # rejected
Model(3).fitted  # rejected
wrong: type[int] = Model  # rejected
backend_class(name=3)  # rejected
backend_class(chooser="engine")  # rejected
backend_class("Model")  # rejected
