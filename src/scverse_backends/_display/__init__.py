"""The display: what people see of a host, its functions and its calls.

Signatures and docstrings of decorated functions, the pages of settings and dispatchers, and traces.
Dispatches, routes and records come in through the door; signatures, text and HTML go out. The path of
a call does not pass through here: it tells a function's presentation which routes there are.
"""
