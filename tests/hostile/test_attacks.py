"""What an installed package may try against a host: attacks that get through, and its text as text.

The page about it is ``docs/explanation/threat-model.md``. Attacks that are refused before import are
in ``tests/unit/backends``: impostors in ``test_trust.py``, the others in ``test_untrusted.py``.
"""

import json
import logging
import re
import runpy
import sys
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

VOUCHED = {"fast": {"package": "fast-backend"}}
GENUINE = "name = 'fast'\ndef double(values): return 'genuine'\n"
STRANGER = GENUINE.replace("genuine", "stranger")
SCRIPT = "<script>alert(1)</script>"
INJECTED = "\n2026-01-01 CRITICAL root: all is lost\r\x1b[2J\x1b]0;title\x07\u202e"


@pytest.fixture
def host(make_dispatcher):
    """Make a host that trusts ``fast`` of ``fast-backend``."""

    def host(**options):
        dispatcher = make_dispatcher(trusted_backends=VOUCHED, **options)
        return dispatcher, dispatcher.backend_dispatch(name="double")(lambda values: "host")

    return host


@pytest.fixture
def genuine(site):
    site.install("fast-backend", entry_points={"fast": "fast_module"})
    return site.write("fast_module.py", GENUINE)


class TestBeyondUs:
    """Attacks that get through: trust is judged by metadata, and metadata can lie."""

    def test_a_distribution_that_bears_the_trusted_name(self, site, host):
        site.install("fast-backend", entry_points={"fast": "evil_module"})
        site.write("evil_module.py", STRANGER)
        _, double = host()
        assert double([1], backend="fast") == "stranger"

    def test_a_file_that_changes_between_the_look_and_the_import(self, host, genuine):
        dispatcher, double = host()
        assert [info.trusted for info in dispatcher.backends()] == [True]
        genuine.write_text(STRANGER)
        assert double([1], backend="fast") == "stranger"

    def test_a_module_of_the_same_name_earlier_on_the_path(
        self, site, host, genuine, tmp_path, monkeypatch
    ):
        (tmp_path / "fast_module.py").write_text(STRANGER)
        monkeypatch.syspath_prepend(str(tmp_path))
        _, double = host()
        try:
            assert double([1], backend="fast") == "stranger"
        finally:
            del sys.modules["fast_module"]


@pytest.fixture(params=[SCRIPT, INJECTED, "`|[x](javascript:alert)"], ids=["html", "log", "table"])
def injected(request, site, host):
    """Install a package that says something unpleasant wherever it can."""
    text = request.param
    folder = site.install("evil", entry_points={"evil": "evil_module"})
    one_line = text.replace("\n", " ").replace("\r", " ")
    (folder / "METADATA").write_text(f"Name: evil{one_line}\nVersion: 1{one_line}\n", "utf-8")
    source = f"""
    name = "evil"
    aliases = [{text!r}]
    def can_run(function, arguments): return {text!r}
    def double(values, *, tiles={text!r}):
        \"\"\"No doc.\"\"\"
    """
    site.write("evil_module.py", source)
    site.install("worse", entry_points={"worse": "worse_module"})
    site.write("worse_module.py", f"raise RuntimeError({text!r})")
    return text, *host(untrusted="allow", fallback="silent")


@pytest.mark.filterwarnings("ignore::scverse_backends.exceptions.BackendWarning")
class TestTextOfAPackage:
    """Whatever it says of itself, it is shown as text."""

    def test_in_html_it_is_text(self, injected):
        _, dispatcher, double = injected
        dispatcher.discover()
        with dispatcher.settings.trace() as trace:
            double([1], backend="evil")
        decision = dispatcher.settings.explain(double, [1], backend="evil")
        for shown in (dispatcher, dispatcher.settings, trace, decision):
            page = shown._repr_html_()
            # The only script is the one by which the tables of a trace are sorted.
            assert page.count("<script") == (shown is trace)
            assert "<script>alert" not in page
            assert page.replace("\n", "").isprintable()
            assert repr(shown).replace("\n", "").isprintable()

    def test_in_a_log_it_begins_no_line(self, injected, caplog):
        _, dispatcher, double = injected
        with caplog.at_level(logging.DEBUG, "scverse_backends"):
            double([1], backend="evil")
            dispatcher.discover()
        assert caplog.messages
        assert all(message.isprintable() for message in caplog.messages)

    def test_in_what_the_command_line_writes_it_is_text(self, injected, monkeypatch, capsys):
        def written(command, *options):
            words = ["scverse-backends", command, "attacked:dispatcher", *options]
            monkeypatch.setattr(sys, "argv", words)
            with pytest.raises(SystemExit):
                runpy.run_module("scverse_backends", run_name="__main__")
            out, err = capsys.readouterr()
            assert f"{out}{err}".replace("\n", "").isprintable()
            return out

        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setitem(sys.modules, "attacked", SimpleNamespace(dispatcher=injected[1]))
        for command in ("list", "doctor", "verify"):
            assert "evil" in written(command)
            json.loads(written(command, *(["--json"], ["--format", "json"])[command == "verify"]))
        assert "<script" not in written("matrix", "--format", "html")
        # Behind a backslash Markdown takes such a character for itself.
        markdown = re.sub(r"\\[<>\[\]`|]", "", written("matrix", "--format", "markdown"))
        assert "<" not in markdown
        assert "[" not in markdown
        page = written("verify", "--format", "junit", "--fail-on", "info")
        assert ET.fromstring(page).tag == "testsuites"  # noqa: S314 - ours, of which this is the test

    def test_in_json_it_is_a_string(self, injected):
        _, dispatcher, double = injected
        with dispatcher.settings.trace() as trace:
            double([1], backend="evil")
        assert "\x1b" not in trace.to_json()
        json.loads(trace.to_json())


def test_no_value_that_a_call_was_given_is_exported_or_logged(site, host, genuine, caplog):
    dispatcher, double = host()
    secret = "hunter2"  # noqa: S105 - it stands for one
    with (
        caplog.at_level(logging.DEBUG, "scverse_backends"),
        dispatcher.settings.trace() as trace,
    ):
        double(secret, backend="fast")
        double(values=secret)
    exported = f"{trace.to_json()} {trace.provenance()} {trace!r} {trace._repr_html_()}"
    assert secret not in f"{exported} {caplog.text}"
