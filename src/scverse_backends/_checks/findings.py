"""Findings: what there is to say of a backend before any of its functions is called."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args
from xml.etree import ElementTree as ET

from scverse_backends._ground.records import as_objects, release
from scverse_backends._ground.rendering import Paint, hanging, printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
STYLES = {"error": "bad", "warning": "doubtful", "info": "dim"}

State = Literal["yes", "partly", "no"]
STATES: dict[State, str] = {
    "yes": "every argument of the host is taken or may be ignored, and the defaults are the same",
    "partly": "some calls run elsewhere, or use another default; nothing is dropped",
    "no": "calls run on the next choice, or on the host",
}
"""Whether a backend implements a function: the word in each table, and what it means."""

REMARKS = (
    (("missing-parameter",), "does not take", "; such calls run elsewhere"),
    (("required-parameter", "required-option"), "requires", "; other calls run elsewhere"),
    (("fixed-parameter",), "always works with", "; other calls run elsewhere"),
    (("missing-member",), "lacks", ""),
    (("differing-default",), "has other defaults:", ""),
    (("ignored-parameter",), "ignores", ""),
    (("added-parameter",), "adds", ""),
)
"""What users should know: kinds of findings, and the words around what they name."""

REQUIRED = "required"
"""Stands for the default of an option that has none."""

FOR_AUTHORS = ("undocumented-option", "hidden-option")
"""Warnings that change nothing for callers."""

OWN_NAMES = "names that the adapter offers"


class Finding(NamedTuple):
    """One thing that was found of a backend.

    Parameters
    ----------
    severity
        ``"error"``: something does not do what its author meant; ``"warning"``:
        some calls that the host takes go elsewhere, or give something else;
        ``"info"``: worth knowing.
    kind
        What was found, for machines: ``"missing-parameter"``.
    function
        Dispatch name of the host function, or what the adapter has in place of one.
    message
        What was found, for people; completes "backend 'fast' ...".
    parameter
        The parameter it is about, under the host's name where the host has it;
        or the member of a class.
    host, backend
        What the host and what the backend has there: a default, or a name.
    """

    severity: Severity
    kind: str
    function: str
    message: str
    parameter: str | None = None
    host: str | None = None
    backend: str | None = None


class Remark(NamedTuple):
    """What users should know of an implementation, in as few words as a table has room for.

    Parameters
    ----------
    kind
        Kind of the findings that it is made of.
    words
        What is said of all of them, such as ``"does not take"``.
    names
        Each thing that it names: code, and plain words behind it.
    end
        What happens because of it; not needed beside a legend.
    """

    kind: str
    words: str
    names: tuple[tuple[str, str], ...] = ()
    end: str = ""

    def __str__(self) -> str:
        named = ", ".join(f"{code}{words}" for code, words in self.names)
        return f"{self.words} {named}".rstrip()


class Fit(NamedTuple):
    """One host function, and what a backend has for it.

    Parameters
    ----------
    function
        Dispatch name of the host function.
    implemented
        Whether calls can go there at all.
    findings
        What was found of it.
    """

    function: str
    implemented: bool
    findings: tuple[Finding, ...] = ()

    def of(self, *kinds: str) -> tuple[Finding, ...]:
        """Select the findings of some kinds."""
        return tuple(finding for finding in self.findings if finding.kind in kinds)

    @property
    def state(self) -> State:
        """``"yes"``, ``"partly"`` if some calls go elsewhere or give something else, or ``"no"``."""
        if not self.implemented:
            return "no"
        return "partly" if _exceptions(self) else "yes"


def at_least(severity: Severity, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Select the findings that are as severe as this, or more."""
    worse = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return tuple(finding for finding in findings if finding.severity in worse)


def remarks(fit: Fit) -> Iterator[Remark]:
    """Say what users should know before they rely on an implementation."""
    for kinds, words, end in REMARKS:
        found = [one for kind in kinds for one in fit.of(kind) if one.backend != REQUIRED]
        if found:
            yield Remark(kinds[0], words, tuple(map(_named, found)), end)
    told = {kind for kinds, _, _ in REMARKS for kind in kinds}
    for finding in (*_exceptions(fit), *fit.of("unchecked-member")):
        if finding.kind not in told:
            yield Remark(finding.kind, finding.message)


def _exceptions(fit: Fit) -> tuple[Finding, ...]:
    """Select what makes some calls go elsewhere, or give something else."""
    found = at_least("warning", fit.findings)
    return tuple(one for one in found if one.kind not in FOR_AUTHORS)


def _named(finding: Finding) -> tuple[str, str]:
    """Name a parameter, and the defaults that it has."""
    name = str(finding.parameter)
    if name.startswith("**"):
        return "", "other keywords"
    if finding.kind in ("added-parameter", "differing-default", "fixed-parameter"):
        aside = f" (host: {finding.host})" if finding.host is not None else ""
        return f"{name}={finding.backend}", aside
    return name, ""


class Verification(NamedTuple):
    """What was found of one backend without a call.

    Parameters
    ----------
    host
        Name of the host.
    backend
        Canonical name of the backend.
    distribution, version
        What is installed; ``None`` for a backend registered in this process.
    functions
        One for each function of the host, by its dispatch name.
    findings
        Everything that was found: of the adapter's own names, then function by function.
    """

    host: str
    backend: str
    distribution: str | None
    version: str | None
    functions: tuple[Fit, ...]
    findings: tuple[Finding, ...]

    @property
    def implemented(self) -> tuple[str, ...]:
        """The functions whose calls can go there."""
        return tuple(item.function for item in self.functions if item.implemented)

    def failures(self, fail_on: Severity = "error") -> tuple[Finding, ...]:
        """Select the findings that are as severe as this, or more.

        Parameters
        ----------
        fail_on
            ``"error"``, ``"warning"`` or ``"info"``.
        """
        return at_least(fail_on, self.findings)

    def to_json(self) -> str:
        """Write it for machines: an object with the host, the backend and all findings."""
        value: dict[str, Any] = {
            **self._asdict(),
            "functions": {item.function: item.implemented for item in self.functions},
            "counts": _counted(self.findings),
        }
        return json.dumps(as_objects(value), indent=2)

    def to_junit(self, fail_on: Severity = "error") -> str:
        """Write it as JUnit XML, with one test case for each function.

        Parameters
        ----------
        fail_on
            Findings as severe as this, or more, are failures; a function that is
            not implemented is skipped.
        """
        return as_junit([self], fail_on)

    def text(self, paint: Paint = lambda _, text: text, width: int = sys.maxsize) -> str:
        """Write it for people, in styles where `paint` knows some."""
        return "\n".join(_lines(self, paint, width))

    def __str__(self) -> str:
        return self.text()


def _counted(findings: Iterable[Finding]) -> dict[str, int]:
    counter = Counter(finding.severity for finding in findings)
    return {severity: counter[severity] for severity in SEVERITIES}


def _lines(result: Verification, paint: Paint, width: int) -> Iterator[str]:
    counts = _counted(result.findings)
    source = f" ({release(result.distribution, result.version)})" if result.distribution else ""
    yield (
        f"{paint('bold', result.backend)}{source} of {result.host}: "
        f"{len(result.implemented)} of {len(result.functions)} functions"
    )
    yield f"{number_of(counts['error'], 'error')}, {number_of(counts['warning'], 'warning')}"
    groups: dict[str, list[Finding]] = {}
    absent = []
    for finding in result.findings:
        if finding.kind == "not-implemented":
            absent.append(finding.function)
        else:
            groups.setdefault(finding.function, []).append(finding)
    if absent:
        yield from hanging("not implemented: ", ", ".join(absent), width)
    for function, findings in groups.items():
        yield f"\n{paint('bold', function)}"
        label = max(len(finding.severity) for finding in findings) + 4
        for severity, _, _, message, *_ in findings:
            first, *others = hanging(f"  {severity}".ljust(label), message, width)
            yield first.replace(severity, paint(STYLES[severity], severity), 1)
            yield from others


def number_of(count: int, noun: str) -> str:
    """Count things in words."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def as_junit(results: Iterable[Verification], fail_on: Severity | None) -> str:
    """Write verifications as JUnit XML, as continuous integration services read it.

    Parameters
    ----------
    results
        One test suite each.
    fail_on
        Findings as severe as this, or more, are failures; ``None`` for no failures.
    """
    suites = ET.Element("testsuites", name="scverse-backends verify")
    suites.extend(_suite(result, fail_on) for result in results)
    for element in (suites, *suites):
        element.set("tests", str(len([*element.iter("testcase")])))
        for name in ("failures", "skipped", "errors"):
            element.set(name, str(len([*element.iter(name.removesuffix("s"))])))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=False)


def _suite(result: Verification, fail_on: Severity | None) -> Element:
    about = {found for item in result.functions for found in item.findings}
    names = tuple(found for found in result.findings if found not in about)
    suite = ET.Element("testsuite", name=f"{result.host} on {result.backend}")
    place = f"{result.host}.{result.backend}"
    for item in (Fit(OWN_NAMES, implemented=True, findings=names), *result.functions):
        suite.append(_case(place, item, fail_on))
    return suite


def _case(place: str, item: Fit, fail_on: Severity | None) -> Element:
    case = ET.Element("testcase", classname=place, name=item.function)
    failures = at_least(fail_on, item.findings) if fail_on else ()
    if failures:
        first = printable(failures[0].message)
        ET.SubElement(case, "failure", message=first).text = _listed(failures)
    elif not item.implemented:
        ET.SubElement(case, "skipped", message=printable(item.findings[0].message))
    others = [found for found in item.findings if found not in failures]
    if others:
        ET.SubElement(case, "system-out").text = _listed(others)
    return case


def _listed(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{found.severity}: {printable(found.message)}" for found in findings)
