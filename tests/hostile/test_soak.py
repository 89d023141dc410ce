"""Many threads, all hostile packages at once: nobody waits for ever, and the data stay right."""

import random
import threading
import time
import warnings

import pytest
from hypothesis import settings

from scverse_backends.exceptions import BackendError

from .corpus import members
from .host import VALUES, finish

THREADS = 8
SECONDS = 30 if settings.default.max_examples > 100 else 2

# These change what surrounds them, as they may: the caller's context, or the whole thread.
LEFT_OUT = {"interrupts-at-import", "leaves-a-block-open", "impostor"}


@pytest.fixture
def crowd(site, host, monkeypatch):
    """Every member of the corpus that can be met beside others, installed at once."""
    found = [m for m in members() if not m.alone and m.id not in LEFT_OUT]
    for member in found:
        member.install(site)
        if member.zipped:
            monkeypatch.syspath_prepend(str(site.folder / f"{member.home}.zip"))
    return found


class Visitor:
    """One thread, which meets packages at random and keeps what should not have been."""

    def __init__(self, host, crowd, seed, until):
        self.host, self.crowd, self.until = host, crowd, until
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self.met, self.wrong = 0, []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while time.monotonic() < self.until and not self.wrong:
            try:
                self.random.choice([self.call, self.call, self.call, self.fine, self.look])()
            except BaseException as error:  # noqa: BLE001 - whatever a package raises
                self.wrong.append(repr(error))
            self.met += 1

    def call(self):
        member = self.random.choice(self.crowd)
        function = getattr(self.host, member.function)
        try:
            found = finish(function([*VALUES], **member.arguments, backend=member.name))
        except BaseException as error:  # noqa: BLE001 - as above
            allowed = {member.runs, member.load}
            if not isinstance(error, BackendError) and type(error).__name__ not in allowed:
                self.wrong.append((member.id, repr(error)))
            return
        if member.runs in ("backend", "host", "either") and member.function != "scale":
            assert found == [2, 4, 6], member.id

    def fine(self):
        label = self.random.choice(["fine", "good", "cpu"])
        assert self.host.scale([*VALUES], 3, backend=label) == [3, 6, 9]
        assert self.host.settings.backends == ("cpu",)

    def look(self):
        dispatcher = self.host.dispatcher
        self.random.choice([dispatcher.backends, dispatcher.discover, dispatcher.refresh])()


@pytest.mark.timeout(300)
def test_threads_among_hostile_packages(host, crowd):
    until = time.monotonic() + SECONDS
    visitors = [Visitor(host, crowd, seed, until) for seed in range(THREADS)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for visitor in visitors:
            visitor.thread.start()
        for visitor in visitors:
            visitor.thread.join(SECONDS + 120)
    assert not any(visitor.thread.is_alive() for visitor in visitors)
    assert [visitor.wrong for visitor in visitors] == [[]] * THREADS
    assert sum(visitor.met for visitor in visitors) > THREADS
    assert host.settings.backends == ("cpu",)
