"""One adapter for each host that this package serves."""
