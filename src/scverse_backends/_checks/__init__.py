"""Checks: prove a backend right.

A backend is compared with its host by signatures and names (`verify`, `matrix`), by results
(`comparison`, `conformance`), and by the host's own tests (`host_tests`). Its door is the public
module `scverse_backends.testing`; the commands, the pytest plugin and the Sphinx extension take
their findings from here.
"""
