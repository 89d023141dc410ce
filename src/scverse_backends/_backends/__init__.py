"""From installed metadata to a loaded adapter.

Metadata is read into candidates (`discovery`), which the host's configuration judges (`trust`).
An inventory reads manifests and loads adapters on demand, once each, and an index says what every
label names. Through the door, `registry.Registry`, go labels in, and verdicts and loaded backends out.
"""
