"""The manifest: what a backend offers, in a file that is read without importing the backend.

One noun a file: `_record` is what a manifest says, `_signature_text` how it
says a signature, `_toml` and `_reading` write and read it, `_places` finds it,
and `_stand_in` lets it answer in its adapter's place.
"""
