"""The selector: turns labels into selections, and says which selection holds now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._backends.configuration import FALLBACK_POLICIES
from scverse_backends._ground.callables import once
from scverse_backends._ground.labels import Changes, quoted

from .hosts import announce_host, enter_host
from .state import CALL, HOST, PENDING, PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends._backends.configuration import Environment
    from scverse_backends._backends.registry import Registry
    from scverse_backends._ground.labels import Configuration, FallbackPolicy
    from scverse_backends._ground.records import LoadedBackend, Verdict

    from .state import Scope, Selection, SelectionState


class Selector:
    """What the users of one host select, resolved through its registry.

    Attributes
    ----------
    address
        By what another process finds the same host.
    calls
        By how calls name their backends, what they select where no policy is in force.
    on_refresh
        What follows when the installed backends were looked at again.
    """

    def __init__(
        self, configuration: Configuration, state: SelectionState, environment: Environment
    ) -> None:
        self.configuration = configuration
        self.changes = Changes()
        self.state = state
        self._forget_calls()
        self.changes.watch(self._forget_calls)
        self.changes.watch(state.forget)
        self.on_refresh: Callable[[], None] = lambda: None
        self.take_environment(environment)
        self.address = enter_host(configuration.host, configuration.group, self)
        announce_host(self)

    def take_environment(self, environment: Environment) -> None:
        """Let the environment select, as long as nothing else does."""
        self.environment = environment
        if environment.backend or environment.fallback:
            self.state.wait_for_environment()

    def _forget_calls(self) -> None:
        """Begin anew; a call that is being looked up goes into the old dictionary."""
        self.calls: dict[Any, Selection] = {}
        self._calls_under: dict[FallbackPolicy, dict[Any, Selection]] = {}

    @once
    def registry(self) -> Registry:
        """Make what knows of installed backends, when one is first asked for."""
        from scverse_backends._backends.registry import Registry

        return Registry(self.configuration, self.changes, self.state.apart)

    def refresh(self) -> None:
        """Look again at what is installed."""
        self.registry.refresh()
        self.on_refresh()

    def current(self) -> Selection:
        """Give the selection that holds here and now."""
        scope = self.state.scope()
        if scope is not None:
            return scope[0]
        default = self.state.default
        return self._select_by_environment() if default is PENDING else default

    def locate(
        self, labels: Any, origin: str | None = None
    ) -> list[LoadedBackend | Verdict | None]:
        """Find the backend that each label names, loading only what cannot be told otherwise."""
        return [self.registry.locate(label, origin) for label in listed(labels)]

    def load(
        self,
        located: list[LoadedBackend | Verdict | None],
        fallback: FallbackPolicy | None,
        origin: str | None,
    ) -> Selection:
        """Load what was located and make the selection of it."""
        use = self.registry.use
        backends = dict.fromkeys(None if one is None else use(one) for one in located)
        return self.state.make(tuple(backends), fallback, origin)

    def select(self, labels: Any, fallback: FallbackPolicy | None, origin: str | None) -> Selection:
        """Resolve and load labels."""
        return self.load(self.locate(labels), fallback, origin)

    def for_call(self, labels: Any, outer: Scope | None) -> Selection:
        """Give the selection of a call that names its own backends; made once for each spelling."""
        fallback = None if outer is None else outer[0].fallback
        calls = self._calls_under.setdefault(fallback, {}) if fallback else self.calls
        try:
            selection, is_key = calls.get(labels), True
        except TypeError:
            selection, is_key = None, False
        if not is_key:  # not above: an error would seem to come of the other
            self.locate(labels)
            return self.for_call(tuple(listed(labels)), outer)
        if selection is None:
            selection = calls[labels] = self.select(labels, fallback, CALL)
            self.state.wake()
        return selection

    def set_default(self, labels: Any) -> None:
        """Change the choice of the innermost block, or of the whole process."""
        scope = self.state.scope()
        fallback, origin = (scope[0].fallback, scope[0].origin) if scope else (None, PROCESS)
        self.state.swap(self.select(labels, fallback, origin))

    def reset_default(self) -> None:
        """Go back from the process-wide choice to the environment's.

        Raises
        ------
        RuntimeError
            Inside a block, whose choice it would not change.
        """
        if self.state.scope() is not None:
            msg = "settings.backend cannot be deleted inside a use_backend block; leave it first"
            raise RuntimeError(msg)
        if self.environment.backend:
            self.state.wait_for_environment()
        else:
            self.state.swap(HOST)

    def apply(self, selection: Selection, policy: FallbackPolicy) -> None:
        """Put a choice and a policy in force for the whole process, and leave open blocks."""
        while (scope := self.state.scope()) is not None:
            self.state.pop(scope[2] or scope)
        self.set_policy(policy)
        self.state.swap(self.state.make(selection.backends, None, selection.origin))

    def policy(self, selection: Selection | None = None) -> FallbackPolicy:
        """Give the fallback policy of a selection, or the one that holds here and now."""
        return (selection or self.current()).fallback or self._process_policy()

    def set_policy(self, policy: FallbackPolicy) -> None:
        """Change the policy of the innermost block, or of the whole process."""
        scope = self.state.scope()
        if scope is None:
            self.environment = self.environment._replace(fallback=None)
            self.state.fallback = policy
        else:
            selection = scope[0]
            self.state.swap(self.state.make(selection.backends, policy, selection.origin))

    def _select_by_environment(self) -> Selection:
        """Take the environment's choice, now that it is first needed."""
        environment = self.environment
        self._process_policy()
        if not environment.backend:
            return self.state.settle(HOST)
        origin = f"the environment variable {environment.backend_variable}"
        labels = [label.strip() for label in environment.backend.split(",")]
        from scverse_backends.exceptions import BackendError

        try:
            selection = self.load(self.locate(labels, origin), None, origin)
        except BackendError as error:
            if error.origin is None:
                error.add_note(f"It was selected by {origin}={environment.backend!r}.")
            raise
        return self.state.settle(selection)

    def _process_policy(self) -> FallbackPolicy:
        """Give the process-wide policy; the environment's is checked when it is first needed."""
        variable, policy = self.environment.fallback_variable, self.environment.fallback
        if not policy:
            return self.state.fallback
        if policy not in FALLBACK_POLICIES:
            from scverse_backends.exceptions import BackendConfigurationError

            mistake = f"{variable}={policy!r} is none of {quoted(FALLBACK_POLICIES)}"
            raise BackendConfigurationError(self.configuration.host, [mistake])
        return cast("FallbackPolicy", policy)


def listed(labels: Any) -> list[Any]:
    """Read one label, or several in order of preference."""
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Sequence):
        return [labels]
    if not labels:
        msg = "Name at least one backend; 'cpu' is the host itself."
        raise ValueError(msg)
    return list(labels)
