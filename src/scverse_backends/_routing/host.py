"""Host functions: what a host decorated, and how it wants that dispatched."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.callables import (
    is_coroutine_function,
    is_generator_function,
    shows_its_own_signature,
    takes_any_keyword,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .parameters import ParameterMap, Parameters

INITIALIZER = "__scverse_initializer__"
"""Where the construction of a class keeps the only thing that receives its arguments."""


class Options(NamedTuple):
    """What a host says when it decorates a function or class; as `backend_dispatch` takes it."""

    name: str | None = None
    ignorable: Iterable[str] = ()
    selector: str | None = "backend"
    host_defaults: bool = False


class HostFunction:
    """A decorated function and how the host wants it dispatched."""

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        name: str,
        ignorable: frozenset[str] = frozenset(),
        selector: str = "backend",
        host_defaults: bool = False,
        should_run: Callable[[str, dict[str, Any]], object] | None = None,
    ) -> None:
        self.func = func
        self.name = name
        self.ignorable = ignorable
        self.selector = selector
        self.host_defaults = host_defaults
        self.should_run = should_run
        self.public: Callable[..., Any] = func

    @cached_property
    def parameters(self) -> Parameters:
        """What the host's own code takes; read when a backend is first asked."""
        from .parameters import read

        return read(self.func)

    @cached_property
    def parameter_map(self) -> ParameterMap:
        """Where its parameters go where nothing renames them."""
        from .parameters import ParameterMap

        return ParameterMap(self.parameters, {})

    def may_ignore(self, name: str) -> bool:
        """Whether a backend may lack one of the host's own arguments."""
        host = self.parameters
        return name in self.ignorable and (name in host.names or host.takes_kwargs)

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands in the way of believing the signature."""
        return shows_its_own_signature(getattr(self.func, INITIALIZER, self.func))

    @property
    def refuses_unknown_keywords(self) -> bool:
        """Whether a call with the selector fails before any of the host's code runs.

        Then nothing needs to look for the selector until that failure.
        """
        return not takes_any_keyword(self.func)

    @cached_property
    def is_coroutine(self) -> bool:
        """Whether calling it gives a coroutine."""
        return is_coroutine_function(self.func)

    @cached_property
    def is_suspended(self) -> bool:
        """Whether calling it gives a coroutine or generator, whose body runs later."""
        return self.is_coroutine or is_generator_function(self.func)
