"""JUnit: verifications as test results that continuous integration services read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from scverse_backends._ground.rendering import printable

from .findings import Fit, at_least

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from .findings import Finding, Severity
    from .verify import Verification

NAMES = "names that the adapter offers"


def as_junit(results: Sequence[Verification], fail_on: Severity | None) -> str:
    """Write verifications as JUnit XML.

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
    for item in (Fit(NAMES, implemented=True, findings=names), *result.functions):
        suite.append(_case(result, item, fail_on))
    return suite


def _case(result: Verification, item: Fit, fail_on: Severity | None) -> Element:
    place = f"{result.host}.{result.backend}"
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
