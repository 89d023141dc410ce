"""Whoever interrupts the program means the program: what a foreign object does with that passes."""

import inspect

import pytest


class Odd:
    """Raises when it is written."""

    def __init__(self, *, written):
        self.written = written

    def __repr__(self):
        raise self.written


def secretive(error):
    """Give an instance of a class that raises when it is asked how it compares."""

    class Unlooked(type):
        def __getattribute__(cls, name):
            if name == "__eq__":
                raise error
            return super().__getattribute__(name)

    return Unlooked("Secretive", (), {})()


class UnclearError(Exception):
    """Raises when its text is asked for."""

    def __str__(self):
        raise self.args[0]


class Callable:
    """Raises when somebody reads its signature, or its docstring."""

    def __init__(self, error, attribute):
        self.error, self.attribute = error, attribute

    def __call__(self, data, *, tiles=1):
        return "mine"

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "attribute"):
            raise object.__getattribute__(self, "error")
        return object.__getattribute__(self, name)


def declines(error):
    def can_run(function, arguments):
        raise UnclearError(error)

    return can_run


def implementation(data, factor=1, *, tiles=1):
    return "mine"


CASES = {
    "a signature is read": lambda e: {"scale": Callable(e, "__signature__")},
    "a docstring is read": lambda e: {"scale": Callable(e, "__doc__")},
    "a default is looked at": lambda e: {
        "scale": lambda data, factor=secretive(e): "mine"  # noqa: B008
    },
    "a default is written": lambda e: {
        "scale": lambda data, *, tiles=Odd(written=e): "mine"  # noqa: B008
    },
    "a default is documented": lambda e: {
        "scale": lambda data, factor=Odd(written=e): "mine"  # noqa: B008
    },
    "an error is told": lambda e: {"scale": implementation, "can_run": declines(e)},
}


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("offered", CASES.values(), ids=CASES)
def test_it_passes_while(dispatcher, offer, error, offered):
    @dispatcher.backend_dispatch
    def scale(data, factor=1):
        """Scale.

        Parameters
        ----------
        data
            What is scaled.
        factor
            By how much.
        """
        return "host"

    offer(**offered(error()))
    with pytest.raises(error):
        assert (scale(3, backend="mine"), str(inspect.signature(scale))) == ("mine", "")
