"""Compiled implementations of the heavy functions of example-host."""
