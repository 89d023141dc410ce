"""The selector: turns labels into selections, and says which selection holds now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from scverse_backends._backends.configuration import FALLBACK_POLICIES, read_environment
from scverse_backends._ground import messages
from scverse_backends._ground.callables import once
from scverse_backends._ground.labels import Changes, quoted

from .processes import ENTRY, enter_host, is_worker, lost, tell_programs, tell_workers
from .selection import BLOCK, CALL, CPU_PICK, HOST, PROCESS, SNAPSHOT, Missing, Selection
from .state import PENDING, SelectionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scverse_backends._backends.configuration import Configuration, Environment, FallbackPolicy
    from scverse_backends._backends.registry import Registry

    from .picking import Located
    from .processes import HostAddress
    from .request import Request
    from .selection import Pick
    from .state import Scope


class Selector:
    """What the users of one host select, found through its registry.

    Attributes
    ----------
    address
        By what another process finds the same host.
    calls
        By how calls name their backends, what they select where no policy is in force.
    on_load
        What follows when a backend is put in force.
    on_refresh
        What follows when the installed backends were looked at again.
    functions
        What decides the calls of each function, by dispatch name; as many as are decorated by now.
    off
        What sends every call to the host, in words; ``None`` where nothing does.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.changes = Changes()
        self.state = SelectionState(configuration.host, configuration.fallback)
        self._forget_calls()
        self.changes.watch(self._forget_calls)
        self.changes.watch(self.state.forget)
        environment = read_environment(configuration.host)
        self.on_load: Callable[[], None] = lambda: None
        self.on_refresh: Callable[[], None] = lambda: None
        self.functions: dict[str, Any] = {}
        self.off = f"the environment variable {environment.off}" if environment.off else None
        self._told: set[object] = set()
        self.take_environment(environment)
        if is_worker() and not self.off:
            self.state.wait_for_environment()  # and for what the worker was started with
        self.address: HostAddress  # which this gives it
        enter_host(self)

    def take_environment(self, environment: Environment) -> None:
        """Let the environment select, as long as nothing else does."""
        self.environment = environment
        if environment.backend or environment.fallback:
            self.state.wait_for_environment()

    def _forget_calls(self) -> None:
        """Begin anew; a call that is being looked up goes into the old dictionary."""
        self.calls: dict[Any, Selection] = {}
        self._calls_under: dict[FallbackPolicy | None, dict[Any, Selection]] = {None: self.calls}

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
        selection = self.state.selected()
        if selection is PENDING:
            selection = self._default()
        return selection.find() if type(selection) is Missing else selection

    def locate(self, asked: Request, origin: str | None = None) -> Request:
        """Find the backend that each label names, loading only what cannot be told otherwise."""
        return asked if self.off else asked.map(partial(self._locate_label, origin=origin))

    def _locate_label(self, label: Any, origin: str | None) -> Located:
        from .picking import is_just_unknown, locate

        located = locate(self.registry, label, origin)
        if is_just_unknown(located.error):
            self._warn_once(("label", located.label), f"{located.error} It is left out.")
        return located

    def check_keys(self, asked: Request) -> None:
        """Refuse a key that fits no dispatched function, and options that say one thing twice.

        Raises
        ------
        UnknownFunctionError, TypeError
            If there are any.
        """
        if (asked.by_function or asked.options) and not self.off:
            from .request import check_names, unknown_keys

            for error in unknown_keys(asked, self.functions, self.address):
                raise error
            check_names(asked, self.functions)

    def check(self, asked: Request) -> None:
        """Refuse what a block asks for and cannot have, as far as that needs no import.

        Raises
        ------
        BackendError, UnknownFunctionError, TypeError
            If a label or a key names nothing, or an option is given by two names.
        UnknownOptionError
            If no function of a selected backend has an option.
        """
        self.check_keys(asked)
        found = self.locate(asked).without_options_of_others()
        if self.off or not found.options:
            return
        peek = self.registry.peek
        known = (one.found is None or peek(one.found) for one in found.every_label if not one.error)
        if all(known) and not any(one.error for one in found.every_label):
            self.load(found, None, None, HOST, use=peek)

    def load(
        self,
        asked: Request,
        fallback: FallbackPolicy | None,
        origin: str | None,
        outer: Selection,
        *,
        use: Callable[[Any], Any] | None = None,
    ) -> Selection:
        """Load what `locate` gave, and make the selection of it.

        Parameters
        ----------
        asked
            What is selected.
        fallback, origin
            Its policy, and where it was written.
        outer
            What holds for the functions that it leaves alone.
        use
            Loads a backend.

        Raises
        ------
        BackendError
            If a backend that is not optional cannot be had, or nothing remains.
        """
        if self.off:
            self._tell_off(asked)
            return self.state.make((CPU_PICK,), fallback, self.off)
        from .picking import pick_all, pick_by_function
        from .request import rules_with_options

        tell_workers()
        self.on_load()
        use = use or self.registry.use
        picks, nothing_remains = pick_all(asked.labels, use)
        rules = pick_by_function(asked, use, origin)
        self._log_left_out((*picks, *(pick for rule in rules for pick in rule.picks)))
        if nothing_remains is not None:
            raise nothing_remains
        if not asked.labels:
            picks, origin = outer.picks, outer.origin
            rules += outer.rules
        selection = self.state.make(picks, fallback, origin, tuple(rules))
        if not asked.options:
            return selection
        with_options = rules_with_options(asked, self.functions, selection)
        return self.state.make(picks, fallback, origin, with_options)

    def select(
        self,
        asked: Request,
        fallback: FallbackPolicy | None,
        origin: str | None,
        outer: Selection = HOST,
    ) -> Selection:
        """Find what is asked for, load it, and make the selection of it."""
        return self.load(self.locate(asked), fallback, origin, outer)

    def for_call(self, labels: Any, outer: Scope | None) -> Selection:
        """Give the selection of a call that names its own backends; made once for each spelling."""
        fallback = None if outer is None else outer[0].fallback
        calls = self._calls_under.setdefault(fallback, {})
        spelling, asked = labels, (labels,)
        if not isinstance(labels, str):
            from .request import listed

            spelling = asked = tuple(listed(labels))
        try:
            selection = calls.get(spelling)
        except TypeError:  # what is no label, and is refused below
            selection = None
        if selection is None:
            from .request import Request

            try:
                selection = self.select(Request(asked), fallback, CALL)
            except Exception as error:
                messages.point_at_caller(error)
                raise
            if not (selection.has_failed or self.off):
                calls[spelling] = selection
            self.state.wake()
        return selection

    def set_default(self, labels: Any) -> None:
        """Change the choice of the innermost block, or of the whole process."""
        if isinstance(labels, Selection):  # one that was in force, put back
            self._swap(labels)
            return
        from .request import read_request

        asked, scope = read_request((labels,)), self.state.scope()
        self.check_keys(asked)
        fallback, origin = (scope[0].fallback, scope[0].origin) if scope else (None, None)
        # A block that sets only a policy has the origin of what it leaves selected.
        if origin not in (CALL, BLOCK, SNAPSHOT):
            origin = PROCESS
        outer = HOST if asked.labels else self._outer(scope)
        self._swap(self.select(asked, fallback, origin, outer))

    def _swap(self, selection: Selection) -> None:
        """Swap the selection in force; of a process-wide one, programs that are started later hear."""
        self.state.swap(selection)
        if self.state.scope() is None:
            tell_programs(self.environment.backend_variable, selection)

    def _outer(self, scope: Scope | None) -> Selection:
        """Give what a mapping leaves alone in a scope, or for the whole process.

        That is what surrounds it, or instead of that the labels that the scope has itself; and
        the options that a block gives what stays selected.
        """
        current = self.current()
        if scope is None:
            surrounding = self._by_environment()
            keeps = current.origin == surrounding.origin  # made anew, if labels may mean others now
        else:
            surrounding = self._default() if scope[1] is None else scope[1][0]
            keeps = current.picks is surrounding.picks
        if not keeps:
            surrounding = self.state.make(current.picks, current.fallback, current.origin)
        rules = (*current.options_beside(surrounding), *surrounding.rules)
        return self.state.make(surrounding.picks, None, surrounding.origin, rules)

    def _default(self) -> Selection:
        """Give the process-wide selection, the environment's where nothing else was selected."""
        if self.state.default is not PENDING:
            return self.state.default
        was_lost = lost(self.configuration.host, self.environment.backend_variable)
        if was_lost and not self.environment.backend:
            self._warn_once(ENTRY, was_lost)
        try:
            return self.state.default_to(self._by_environment())
        except Exception as error:
            messages.point_at_caller(error)
            raise

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
            self._swap(HOST)

    def apply(self, selection: Selection, policy: FallbackPolicy) -> None:
        """Put a choice and a policy in force for the whole process, and leave open blocks."""
        self.state.put(None, self.state.span())
        self.set_policy(policy)
        self._swap(self.state.under(None, selection))

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
            self.state.swap(self.state.under(policy, self.current()))

    def _by_environment(self) -> Selection:
        """Give the environment's choice."""
        environment = self.environment
        self._process_policy()
        if not environment.backend:
            return HOST
        origin = environment.origin
        from scverse_backends.exceptions import BackendError

        from .request import parse

        asked = parse(environment.backend)
        try:
            selection = self.load(self.locate(asked, origin), None, origin, HOST)
        except BackendError as error:
            if error.origin is None:
                error.add_note(f"It was selected by {origin}={environment.backend!r}.")
            raise
        self._warn_of_keys(asked, origin)
        return selection

    def _warn_of_keys(self, asked: Request, origin: str) -> None:
        """Warn of keys that fit no function; the first use may come while the host is imported."""
        if asked.by_function and not self.off:
            from .request import unknown_keys

            for error in unknown_keys(asked, self.functions, self.address, origin):
                told = f"{error} Until then it selects nothing."
                self._warn_once(("key", error.function), told)

    def _log_left_out(self, picks: Iterable[Pick]) -> None:
        for pick in picks:
            if pick.left_out:
                message = "%s leaves out optional backend %r: it %s"
                host = self.configuration.host
                messages.log(messages.INFO, message, host, pick.name, pick.left_out)

    def _tell_off(self, asked: Request) -> None:
        """Say once that what is selected is not used."""
        from .request import names_host

        if not all(map(names_host, asked.every_label)):
            host, variable = self.configuration.host, self.environment.off
            problem = f"{host} runs every call itself (cpu), whatever is selected."
            self._warn_once("off", f"{variable} is set: {problem}")

    def _warn_once(self, subject: object, problem: str) -> None:
        """Warn of something that was selected and has no effect."""
        if subject not in self._told:
            from scverse_backends.exceptions import BackendSelectionWarning

            self._told.add(subject)
            messages.warn(BackendSelectionWarning(problem, host=self.configuration.host))

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
