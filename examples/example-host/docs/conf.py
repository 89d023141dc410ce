"""The documentation of example-host: which backends run its functions stands on every page."""

from importlib.metadata import version as version_of

project = "example-host"
author = project_copyright = "scverse-backends contributors"
version = release = version_of("example-host")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "scverse_backends.sphinx_ext",
]

# Where this library keeps its dispatcher, and where readers find a backend that is not its own.
scverse_backends_dispatchers = ["example_host._backends:dispatcher"]
scverse_backends_links = {"example_accel": "backends/accel"}

autodoc_typehints = "none"
autosummary_generate = True
numpydoc_show_class_members = False
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "example-host"
