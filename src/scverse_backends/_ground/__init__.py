"""_ground."""
