"""_selection."""
