"""The adapters: one module for each host that this package serves."""
