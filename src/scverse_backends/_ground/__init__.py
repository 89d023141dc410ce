"""The ground: what every room needs, and nothing that knows about a room.

Labels and what a host says of them, records that travel between the rooms, what other people's
callables and values say of themselves, messages, docstrings as text, pages as text and HTML.
Through the door come plain values, strings and functions; nothing here keeps what it was given.
"""
