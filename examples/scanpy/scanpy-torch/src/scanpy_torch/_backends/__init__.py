"""One adapter a host."""
