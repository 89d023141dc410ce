"""How the documentation is built."""

from __future__ import annotations

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
html_css_files = ["long-lines.css"]

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
