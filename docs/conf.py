"""How the documentation is built."""

from __future__ import annotations

import textwrap
from typing import Any

import scverse_backends

project = "scverse-backends"
author = "scverse-backends contributors"
project_copyright = "scverse-backends contributors"
version = release = scverse_backends.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_substitutions = {"release": release}
# Of a console block, what the reader types.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
myst_heading_anchors = 3

html_theme = "furo"
html_title = "scverse-backends"
html_static_path = ["_static"]
html_css_files = ["site.css"]
# Furo's own underlines imported names, which then look like links.
pygments_dark_style = "github-dark"

# The public names are few and told apart without their modules.
add_module_names = False
# What docstrings set in single backticks are names of ours, or of nobody.
default_role = "py:obj"
autodoc_typehints = "signature"
# Partners that a build can do without.
autodoc_mock_imports = ["dask", "distributed"]
autosummary_generate = True
numpydoc_show_class_members = False
exclude_patterns = ["_build"]
templates_path = ["_templates"]

# Given by a call, never made by hand: how they are made is nobody's business.
GIVEN = ("scverse_backends.records.", "scverse_backends.testing.", "scverse_backends.Settings")
# Methods of public classes that only this library calls.
INTERNAL = {
    "add",
    "anew",
    "expect_letters",
    "follow",
    "followed",
    "here",
    "late",
    "post_to",
    "text",
}


def without_constructor(app: Any, what: str, name: str, *ignored: Any) -> tuple[str, str] | None:
    """Hide the signature of a class whose objects are given."""
    return ("", "") if what == "class" and name.startswith(GIVEN) else None


def is_record(obj: Any) -> bool:
    """Tell whether what is passed to the constructor can be read as attributes."""
    return isinstance(obj, type) and (hasattr(obj, "_fields") or issubclass(obj, Exception))


def show_attributes(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Describe the parameters of a record as attributes, so that a search finds each."""
    if not is_record(obj) or "Parameters" not in lines:
        return
    start = lines.index("Parameters")
    rules = (at for at in range(start + 2, len(lines)) if lines[at].startswith("---"))
    end = next(rules, len(lines) + 1) - 1
    lines[start:end] = [row for line in lines[start + 2 : end] for row in attribute(obj, line)]


def attribute(obj: Any, line: str) -> list[str]:
    """Turn a line of a numpydoc list into what describes attributes."""
    if not line or line[0].isspace():
        return [textwrap.indent(line.strip(), "   ")]
    names = line.split(", ")
    kind = getattr(obj, "__annotations__", {}).get(names[0], "")
    kind = getattr(kind, "__forward_arg__", kind)
    typed = [f"   :type: {kind}"] if kind else []
    return ["", f".. attribute:: {names[0]}", *(" " * 15 + one for one in names[1:]), *typed, ""]


def without_fields(
    app: Any, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what `show_attributes` describes, and what only this library calls."""
    return True if type(obj).__name__ == "_tuplegetter" or name in INTERNAL else None


def find_without_module(app: Any, env: Any, node: Any, text: Any) -> Any:
    """Link `Settings.trace` in a docstring, which Sphinx finds only with its module's name."""
    if node.get("refdomain") != "py" or not node["reftarget"][:1].isupper():
        return None
    node["refspecific"] = True
    asked = node["refdoc"], app.builder, node["reftype"], node["reftarget"], node, text
    return env.get_domain("py").resolve_xref(env, *asked)


def setup(app: Any) -> None:
    """Shape what is said of public classes, before numpydoc reads it."""
    app.connect("missing-reference", find_without_module)
    app.connect("autodoc-process-signature", without_constructor)
    app.connect("autodoc-process-docstring", show_attributes, priority=400)
    app.connect("autodoc-skip-member", without_fields)
