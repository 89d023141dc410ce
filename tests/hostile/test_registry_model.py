"""Packages come and go, are loaded, selected and registered, in any order, as a plain model says.

The model knows what lies on the disk, what of it was seen when metadata were read last, what of that
was loaded or failed to, and which backend and policy are selected where.
"""

import importlib
import shutil
import sys
import tempfile
import warnings
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scverse_backends import BackendDispatcher
from scverse_backends.exceptions import (
    BackendConfigurationError,
    BackendLoadError,
    UnknownBackendError,
)

GROUP = "tests.registry_model.backends"
INSTALLED, REGISTERED = ("alpha", "beta", "gamma"), ("delta", "epsilon")
NAMES = st.sampled_from([*INSTALLED, *REGISTERED, "cpu", "nobody"])
POLICIES = st.sampled_from(["warn", "silent", "error"])
SERIALS = count()


class Gone(Exception):  # noqa: N818 - named for what the model finds
    """A name names no backend any more."""


class Fails(Exception):  # noqa: N818 - as above
    """The backend that a name names fails to load."""


ERRORS = {Gone: UnknownBackendError, Fails: BackendLoadError}


class Registry(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        self.dispatcher = BackendDispatcher(
            entrypoint_group=GROUP, host_name="model_host", untrusted="allow"
        )
        self.settings = self.dispatcher.settings
        self.where = self.dispatcher.backend_dispatch(name="where")(lambda: "cpu")
        self.disk, self.seen, self.loaded, self.failed = {}, None, {}, set()
        self.registered, self.registrations = {}, {}
        self.process, self.blocks, self.stack = "cpu", [], []
        self.policies = ["warn"]  # of the process, and of each block; None where it sets none

    # What the model expects.

    def look(self):
        if self.seen is None:
            self.seen = dict(self.disk)

    def load(self, name):
        """Load what was seen, once; its files may be gone, or broken."""
        if name in self.loaded or name in self.failed:
            return
        serial, is_broken = self.seen[name]
        is_there = self.disk.get(name, (None,))[0] == serial
        if is_broken or not is_there:
            self.failed.add(name)
        else:
            self.loaded[name] = serial

    def find(self, name):
        """Give the backend that a name names; for an unknown name all are asked."""
        if name == "cpu":
            return "cpu"
        if name in self.registered:
            return self.registered[name]
        self.look()
        if name not in self.seen:
            for other in self.seen:
                self.load(other)
            raise Gone
        self.load(name)
        if name in self.failed:
            raise Fails
        return f"{name}{self.loaded[name]}"

    def expected(self):
        """Tell where a call runs: on what was selected, or on who has its name by now."""
        chosen = self.blocks[-1] if self.blocks else self.process
        answering = {*self.registered.values(), "cpu"}
        answering |= {f"{name}{serial}" for name, serial in self.loaded.items()}
        return chosen if chosen in answering else self.find(chosen.rstrip("0123456789"))

    @contextmanager
    def as_expected(self, find):
        """Do something that raises what the model raises, and nothing else."""
        try:
            answer, error = find(), None
        except (Gone, Fails) as found:
            answer, error = None, ERRORS[type(found)]
        try:
            yield answer
        except Exception as raised:
            if type(raised) is not error:
                raise
        else:
            assert error is None, f"{error} was not raised"

    # What happens.

    @rule(name=st.sampled_from(INSTALLED), is_broken=st.booleans())
    def install(self, name, is_broken):
        self.uninstall(name)
        serial = next(SERIALS)
        module, info = f"model_{name}{serial}", self.folder / f"{name}-{serial}.dist-info"
        source = f"name = {name!r}\ndef where(): return {name + str(serial)!r}\n"
        (self.folder / f"{module}.py").write_text("1 / 0" if is_broken else source)
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: {serial}\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}\n")
        self.disk[name] = (serial, is_broken)
        importlib.invalidate_caches()

    @rule(name=st.sampled_from(INSTALLED))
    def uninstall(self, name):
        serial, _ = self.disk.pop(name, (None, None))
        if serial is not None:
            shutil.rmtree(self.folder / f"{name}-{serial}.dist-info")
            (self.folder / f"model_{name}{serial}.py").unlink()
            importlib.invalidate_caches()

    @rule()
    def refresh(self):
        self.dispatcher.refresh()
        self.seen, self.failed = dict(self.disk), set()
        self.loaded = {
            name: serial
            for name, serial in self.loaded.items()
            if name in self.seen and self.seen[name][0] == serial
        }

    @rule()
    def discover(self):
        self.look()
        for name in self.seen:
            self.load(name)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.dispatcher.discover()
        assert len(caught) == len(self.failed)

    @rule(name=st.sampled_from(REGISTERED))
    def register(self, name):
        serial = f"{name}{next(SERIALS)}"
        adapter = SimpleNamespace(name=name, where=lambda: serial)
        try:
            registration = self.dispatcher.register(adapter)
        except BackendConfigurationError:
            assert name in self.registered
        else:
            assert name not in self.registered
            self.registered[name], self.registrations[name] = serial, registration

    @precondition(lambda self: self.registered)
    @rule(data=st.data())
    def remove(self, data):
        name = data.draw(st.sampled_from(sorted(self.registered)))
        self.registrations[name].remove()
        del self.registered[name]

    @rule(name=NAMES)
    def call(self, name):
        with self.as_expected(lambda: self.find(name)) as answer:
            assert self.where(backend=name) == answer

    @rule(name=NAMES)
    def choose(self, name):
        with self.as_expected(lambda: self.find(name)) as answer:
            self.settings.backend = name
            if self.blocks:
                self.blocks[-1] = answer
            else:
                self.process = answer

    @rule(policy=POLICIES)
    def choose_a_policy(self, policy):
        self.settings.fallback = self.policies[-1] = policy

    @rule(name=NAMES, policy=st.none() | POLICIES)
    def enter(self, name, policy):
        with self.as_expected(lambda: self.find(name)) as answer:
            stack = ExitStack()
            stack.enter_context(self.settings.use_backend(name, fallback=policy))
            self.stack.append(stack)
            self.blocks.append(answer)
            self.policies.append(policy)

    @precondition(lambda self: self.blocks)
    @rule(raises=st.booleans())
    def leave(self, raises):
        self.blocks.pop()
        self.policies.pop()
        try:
            with self.stack.pop():
                {False: None}[raises]
        except KeyError:
            assert raises

    @invariant()
    def calls_run_where_the_model_says(self):
        with self.as_expected(self.expected) as answer:
            assert self.where() == answer

    @invariant()
    def the_nearest_policy_holds(self):
        assert self.settings.fallback == next(filter(None, reversed(self.policies)))

    @invariant()
    def what_is_listed_is_what_was_seen(self):
        self.look()
        states = dict.fromkeys(self.registered, "registered")
        states |= dict.fromkeys(self.seen, "installed") | dict.fromkeys(self.loaded, "loaded")
        states |= dict.fromkeys(self.failed, "broken")
        assert {info.name: info.state for info in self.dispatcher.backends()} == states

    def teardown(self):
        while self.stack:
            self.leave(raises=False)
        sys.path.remove(str(self.folder))
        for name in [name for name in sys.modules if name.startswith("model_")]:
            del sys.modules[name]
        shutil.rmtree(self.folder)


TestRegistry = Registry.TestCase
