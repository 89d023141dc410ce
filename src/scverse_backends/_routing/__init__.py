"""_routing."""
