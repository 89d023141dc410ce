"""From installed metadata to a loaded adapter.

Metadata is read into candidates (`discovery`), which the host's configuration judges (`trust`).
An inventory reads manifests and loads adapters on demand, once each, and an index says what every
label names. What a label names is asked at the door, `registry.Registry.locate`: labels go in there, and
verdicts and loaded backends come out.
"""
