"""The path of a call: the wrapper, who runs it, and how the arguments get there.

Read it from `functions` (the wrapper) over `execution` and `resolution` (who runs a call)
to `implementations`, `routes` and `parameters` (how it gets there). Selections and loaded
backends come in from below; decorated functions, decisions and spans go out.
"""
