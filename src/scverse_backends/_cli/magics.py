"""IPython: ``%load_ext scverse_backends`` gives ``%backend``, ``%%backend`` and completion of labels.

Works in Jupyter, in IPython at a terminal and under nbconvert. The only file that imports IPython.
"""

from __future__ import annotations

import ast
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from scverse_backends._ground.labels import CPU, fold, quoted
from scverse_backends._selection.processes import known_hosts
from scverse_backends._selection.request import parse
from scverse_backends.exceptions import BackendError
from scverse_backends.settings import Settings

from .arguments import MisuseError, dispatcher_at, refuse_function

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from scverse_backends._selection.selector import Selector

_display: Any = display  # has no types

_WRITTEN = re.compile(
    r"""(?:use_backend\(|\bbackends?\s*=)          # where labels are given
        [\s\[{]*(?:["'][^'"]*["'][\s,:\[\]]*)*      # after others, in a list or a mapping
        ["'](?P<label>[^'"]*)$
      | ^\s*%%?backend\s+(?:\S*[=,])?(?P<word>[^=,\s]*)$""",
    re.VERBOSE,
)


def load(shell: InteractiveShell) -> None:
    """Add the magics and the completion to a shell; done once more, it changes nothing."""
    shell.register_magics(BackendMagics)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [one for one in matchers if one.__name__ != complete_labels.__name__]
    matchers.append(complete_labels)


@magics_class
class BackendMagics(Magics):
    """The magics; their docstrings are what IPython shows for them."""

    @line_cell_magic  # type: ignore[untyped-decorator, unused-ignore]
    def backend(self, line: str, cell: str | None = None) -> None:
        """Select a backend for this cell, or for the session.

        ::

            %%backend HOST=LABELS     run the cell under a selection, and show what ran where
            %backend HOST=LABELS      select from here on
            %backend                  show what is selected

        LABELS are backends in order of preference, with commas between, and what else the variable
        of the environment takes. Without HOST=, they are labels for the only host that was imported.
        """
        __tracebackhide__ = True
        if cell is None:
            self._select(line.strip())
            return
        settings, choice = _request(line)
        with _as_usage_errors():
            block = settings.use_backend(choice)
        trace = settings.trace(every_thread=True)
        try:
            with trace, block:
                _run(self.shell, cell)
        finally:
            shown = {"text/plain": str(trace), "text/html": trace._repr_html_()}
            _display(shown, raw=True)

    def _select(self, line: str) -> None:
        if not line:
            for selector in known_hosts():
                _display(Settings(selector))
            return
        settings, choice = _request(line)
        with _as_usage_errors():
            settings.backend = choice


@contextmanager
def _as_usage_errors() -> Generator[None]:
    """Show what names nothing as IPython shows a wrong use of a magic."""
    try:
        yield
    except (BackendError, MisuseError, ValueError) as error:
        raise UsageError(str(error)) from error


def _request(line: str) -> tuple[Settings, Any]:
    """Read ``HOST=LABELS`` or ``LABELS``; labels as the environment has them."""
    host, equals, labels = line.strip().partition("=")
    if not equals:
        host, labels = "", host
    if not labels:
        msg = (
            "Name a backend: %%backend HOST=LABELS, or %%backend LABELS; 'cpu' is the host itself."
        )
        raise UsageError(msg)
    settings, asked = _host(host.strip(), line) if host else _only_host(), parse(labels)
    if not asked.by_function:
        return settings, asked.labels
    others = {"*": asked.labels} if asked.labels else {}
    return settings, {**{one.key: one.labels for one in asked.by_function}, **others}


def _only_host() -> Settings:
    hosts: dict[str, Selector] = {one.configuration.host: one for one in known_hosts()}
    if len(hosts) == 1:
        return Settings(*hosts.values())
    there = f"several are imported: {quoted(hosts)}" if hosts else "none is imported"
    msg = f"Name the host, as HOST=LABELS: {there}."
    raise UsageError(msg)


def _host(name: str, line: str) -> Settings:
    """Find a host that was imported; or import one that says where it is."""
    found: list[Selector] = [
        one for one in known_hosts() if fold(one.configuration.host) == fold(name)
    ]
    if found:
        return Settings(found[-1])
    with _as_usage_errors():
        if ":" not in name:
            refuse_function(name, line.strip())
        return dispatcher_at(name).settings


def _run(shell: Any, cell: str) -> None:
    """Run a cell as IPython does, and let its error end the cell that it stands in."""
    __tracebackhide__ = True
    source = shell.transform_cell(cell)
    name = shell.compile.cache(source)
    statements = shell.compile.ast_parse(source, filename=name).body
    last = statements.pop() if statements and isinstance(statements[-1], ast.Expr) else None
    module = ast.Module(statements, [])
    exec(shell.compile(module, name, "exec"), shell.user_ns)  # noqa: S102 - what a cell is for
    if last is not None:
        value = eval(  # noqa: S307 - as above
            shell.compile(ast.Expression(last.value), name, "eval"), shell.user_ns
        )
        if not source.rstrip().endswith(";"):
            sys.displayhook(value)


@context_matcher()  # type: ignore[untyped-decorator, unused-ignore]
def complete_labels(context: CompletionContext) -> SimpleMatcherResult:
    """Complete labels where a backend is named; nothing is imported to know them."""
    found = _WRITTEN.search(context.text_until_cursor)
    if found is None:
        return {"completions": []}
    begun = found["label"] if found["label"] is not None else found["word"]
    # IPython's token may begin before the label, at the quote or before.
    before = context.token.removesuffix(begun)
    labels = (label for label in _labels() if label.startswith(begun))
    completions = [SimpleCompletion(before + label, type="label") for label in labels]
    return {"completions": completions, "suppress": bool(completions)}


def _labels() -> Iterator[str]:
    """List the labels of the hosts that were imported, as far as metadata and manifests say."""
    found: dict[str, Any] = {}
    for selector in known_hosts():
        for one in selector.registry.listed(quietly=True):
            found.update(dict.fromkeys(one.labels))
    yield from (*found, CPU)
