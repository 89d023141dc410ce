"""Run every long profile, one after the other, and say at the end what passed.

``python tests/hostile/long.py`` takes two to three hours; ``--only soak`` runs one part, and
``--minutes 1`` is enough for each fuzzer to see that it works.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOSTILE = "tests/hostile"
FUZZERS = ("a_label", "the_environment", "metadata", "a_manifest")
HEARTBEAT = 60  # seconds between two lines that say how far it is
FAILING = 40  # lines that are shown of a run that failed


@dataclass
class Part:
    """One thing to run: at least once, and again with other examples until its time is over."""

    name: str
    what: str
    repeats: bool = False
    runs: int = 0
    examples: int = 0
    took: float = 0
    outcome: str = "passed"
    said: str = field(default="", repr=False)

    @property
    def summary(self) -> str:
        drawn = f", {self.examples:,} examples" if self.examples else ""
        return f"{self.outcome:<8} {self.name:<24} {self.took:6.0f} s, {self.runs} runs{drawn}"


PARTS = (
    Part("reference", f"{HOSTILE}/test_reference.py"),
    Part("verification", f"{HOSTILE}/test_verification.py"),
    *(
        Part(f"fuzz {name}", f"{HOSTILE}/test_fuzz.py::test_{name}", repeats=True)
        for name in FUZZERS
    ),
    Part("faults", f"{HOSTILE}/test_faults.py"),
    Part("soak", f"{HOSTILE}/test_soak.py"),
    Part("first uses", "tests/unit/backends/test_loading_once.py"),
    Part("comings and goings", f"{HOSTILE}/test_registry_model.py"),
    Part("command line", f"{HOSTILE}/test_command_line.py"),
    Part("properties", "tests/property"),
    Part("stress", "tests/integration/test_stress.py"),
)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(part: Part, seconds: float) -> None:
    """Run one part until its time is over, or until it fails."""
    begin = time.monotonic()
    while part.outcome == "passed" and (part.runs == 0 or (part.repeats and part.took < seconds)):
        part.runs += 1
        once(part, begin)
        part.took = time.monotonic() - begin


def once(part: Part, begin: float) -> None:
    """Run a part once, with examples that no earlier run drew, and show that it goes on."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", part.what]
    options = ["--hypothesis-profile=long", "--hypothesis-show-statistics", "--timeout=7200"]
    seed = f"--hypothesis-seed={time.time_ns() % 10**9}"
    with tempfile.TemporaryFile("w+") as out:
        ran = subprocess.Popen([*command, *options, seed], cwd=ROOT, stdout=out, stderr=out)
        while ran.poll() is None:
            say(f"  {part.name}, run {part.runs} ({seed[18:]}): {time.monotonic() - begin:.0f} s")
            wait(ran)
        out.seek(0)
        part.said = out.read()
    part.examples += sum(map(int, re.findall(r"(\d+) passing", part.said)))
    part.outcome = "FAILED" if ran.returncode else "passed"


def wait(ran: subprocess.Popen[bytes]) -> None:
    try:
        ran.wait(HEARTBEAT)
    except subprocess.TimeoutExpired:
        return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each fuzzer, at least")
    parser.add_argument("--only", metavar="PART", help="parts whose name has this in it")
    options = parser.parse_args()
    parts = [part for part in PARTS if (options.only or "") in part.name]
    for number, part in enumerate(parts, 1):
        say(f"[{number} of {len(parts)}] {part.name}: {part.what}")
        run(part, 60 * options.minutes)
        say(part.summary)
        if part.outcome == "FAILED":
            say("\n".join(part.said.splitlines()[-FAILING:]))
    say("\nSummary")
    for part in parts:
        say(part.summary)
    return int(any(part.outcome == "FAILED" for part in parts))


if __name__ == "__main__":
    sys.exit(main())
