"""Questions: whether a backend can run a call, and whether it had better not, as people are told."""

from __future__ import annotations

from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple

from scverse_backends._ground.records import Preference, Refusal
from scverse_backends._ground.safe_repr import describe_error, one_line, plain_str

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .parameters import Given
    from .routes import Route

_NO_ANSWER = "it returned None, where True takes the call"
"""The reason of a question that ends without ``return``, which is easily forgotten."""

_AWAITED = "it answered with a coroutine, which nothing awaits"
"""The reason of a question that a coroutine function answers."""


class Question(NamedTuple):
    """A question about a call.

    Parameters
    ----------
    owner, name
        Who answers, and by which attribute; it is looked up when it is asked.
    failure
        What is said of a question that fails. It has no answer, so that is a plain refusal.
    verb
        What is said of a "no".
    refusal
        What a "no" is recorded as.
    """

    owner: Any
    name: str
    failure: str
    verb: str
    refusal: type[Refusal]


def ask(
    route: Route, given: Given, host: str, apart: Callable[..., Any], *, may_leave: bool
) -> Refusal | None:
    """Ask whether a backend can run a call, and, where it may leave it, whether it should.

    Parameters
    ----------
    route, given
        The way to the backend's implementation, and the arguments of the call.
    host
        The name of the host.
    apart
        Runs a backend's own code that is no implementation.
    may_leave
        Whether the backend may leave the call to the next choice.
    """
    for question in _questions(route, host, may_leave=may_leave):
        refusal: Refusal | None = apart(partial(_refusal, route, given, question))
        if refusal is not None:
            return refusal
    return None


def _questions(route: Route, host: str, *, may_leave: bool) -> Iterator[Question]:
    """Give the questions that there are: the backend's own, and the host's."""
    backend, function = route.backend, route.function
    if backend.can_run is not None:
        failure = "has a can_run that failed"
        yield Question(backend.adapter, "can_run", failure, "declines", Refusal)
    if may_leave and backend.should_run is not None:
        failure, verb = "has a should_run that failed", "leaves it to the next choice"
        yield Question(backend.adapter, "should_run", failure, verb, Preference)
    if may_leave and function.should_run is not None:
        failure = f"is not asked, because the should_run of {host} failed"
        yield Question(function, "should_run", failure, f"is passed over by {host}", Preference)


def _refusal(route: Route, given: Given, question: Question) -> Refusal | None:
    """Ask one question about a call."""
    owner, name, failure, verb, refusal = question
    try:
        ask_it = getattr(owner, name, None)
        if ask_it is None:
            return None
        answer = plain_str(ask_it(route.function.name, _arguments(route, given, owner)))
        if type(answer) is CoroutineType:
            answer.close()
            answer = _AWAITED
        agrees = type(answer) is not str and bool(answer)
    except (KeyboardInterrupt, RecursionError):
        raise
    except BaseException as error:  # noqa: BLE001 - a broken can_run is a "no" that names its error
        return route.refuse(f"{failure}: {describe_error(error)}")
    if agrees:
        return None
    if answer is None:
        answer = _NO_ANSWER
    said = one_line(answer) if type(answer) is str else ""
    return refusal(route.backend.name, f"{verb}: {said}" if said else verb)


def _arguments(route: Route, given: Given, owner: Any) -> dict[str, Any]:
    """Give the arguments of a call by the names by which the one who is asked knows them."""
    function = route.function
    arguments = given.arguments(function.parameters)
    if not function.aliases:
        return arguments
    name_of = function.own_name if owner is function else route.name_there
    return {name_of(name): value for name, value in arguments.items()}
