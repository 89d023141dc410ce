"""The path of a call: the wrapper, who runs it, and how the arguments get there.

Read `functions` (the wrapper), `resolution` (who runs a call), `implementations`, `routes`,
`forwarding` and `parameters` (how its arguments get there), `decisions` (what people are told of
that), `execution` (how it runs). Selections and loaded backends come in from below; decorated
functions, decisions and spans go out.
"""
