"""Any sequence of choices gives what a plain model of them gives.

The model is a list: the process-wide choice at its bottom, one entry for each
open block above it. A choice is a tuple of backends and a fallback policy.
"""

from contextlib import ExitStack

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import UnknownBackendError

LABELS = {"one": "one", "ONE": "one", "uno": "one", "two": "two", "dos": "two", "cpu": "cpu"}
POLICIES = st.sampled_from(["warn", "silent", "error"])
CHOICES = st.lists(st.sampled_from([*LABELS]), min_size=1, max_size=3)


def canonical(labels):
    return tuple(dict.fromkeys(LABELS[label] for label in labels))


class Selecting(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        dispatcher = BackendDispatcher(entrypoint_group="nobody.is.here", host_name="model_host")
        for name, alias in (("one", "uno"), ("two", "dos")):
            adapter = {"name": name, "aliases": [alias], "where": staticmethod(lambda n=name: n)}
            dispatcher.register(type(name, (), adapter))
        self.settings = dispatcher.settings
        self.where = dispatcher.backend_dispatch(name="where")(lambda: "cpu")
        self.through = dispatcher.backend_dispatch(name="through")(lambda call: call())
        self.kept = [self.settings.use_backend("one"), self.settings.use_backend("dos", "one")]
        for block in self.kept:
            block(print)  # no rule need enter it, and an unused block warns
        self.process = [("cpu",), "warn"]
        self.blocks = []
        self.entered = []

    @property
    def choice(self):
        return self.blocks[-1][0] if self.blocks else self.process[0]

    @property
    def policy(self):
        named = self.blocks[-1][1] if self.blocks else None
        return named or self.process[1]

    def enter(self, block, labels, policy):
        stack = ExitStack()
        stack.enter_context(block)
        inherited = self.blocks[-1][1] if self.blocks else None
        self.entered.append(stack)
        self.blocks.append([canonical(labels) or self.choice, policy or inherited])

    @rule(labels=CHOICES, policy=st.none() | POLICIES, as_sequence=st.booleans())
    def enter_a_new_block(self, labels, policy, as_sequence):
        given = [labels] if as_sequence else labels
        self.enter(self.settings.use_backend(*given, fallback=policy), labels, policy)

    @rule(policy=POLICIES)
    def enter_a_block_for_its_policy(self, policy):
        self.enter(self.settings.use_backend(fallback=policy), (), policy)

    @rule(index=st.integers(0, 1))
    def enter_a_block_that_was_made_before(self, index):
        self.enter(self.kept[index], (["one"], ["two", "one"])[index], None)

    @precondition(lambda self: self.blocks)
    @rule()
    def leave_a_block(self):
        self.entered.pop().close()
        self.blocks.pop()

    @rule(labels=CHOICES)
    def choose(self, labels):
        self.settings.backend = labels
        holder = self.blocks[-1] if self.blocks else self.process
        holder[0] = canonical(labels)

    @rule(policy=POLICIES)
    def choose_a_policy(self, policy):
        self.settings.fallback = policy
        holder = self.blocks[-1] if self.blocks else self.process
        holder[1] = policy

    @rule(labels=CHOICES)
    def choose_for_a_call(self, labels):
        chosen = canonical(labels)
        assert self.where(backend=labels) == chosen[0]
        with self.settings.use_backend(fallback="silent"):
            assert self.through(self.where, backend=labels) == chosen[0]
            assert self.through(lambda: self.settings.backends, backend=labels) == chosen

    @rule(labels=CHOICES)
    def choose_wrongly(self, labels):
        for attempt in (
            lambda: setattr(self.settings, "backend", [*labels, "three"]),
            lambda: self.settings.use_backend(*labels, "three"),
            lambda: self.where(backend=[*labels, "three"]),
        ):
            try:
                attempt()
            except UnknownBackendError:
                continue
            raise AssertionError(attempt)

    @invariant()
    def settings_tell_what_holds(self):
        assert self.settings.backends == self.choice
        assert self.settings.backend == self.choice[0]
        assert self.settings.fallback == self.policy

    @invariant()
    def calls_run_where_settings_tell(self):
        assert self.where() == self.choice[0]
        assert self.settings.explain(self.where).backend == self.choice[0]

    def teardown(self):
        while self.blocks:
            self.leave_a_block()
            self.settings_tell_what_holds()


TestSelecting = Selecting.TestCase
