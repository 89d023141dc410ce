"""What is selected, where, until when, and how it goes along to other threads and processes.

`Selector` turns labels into a `Selection`, which `SelectionState` holds for this
context or for the whole process. `UseBackend` puts one in force for a block,
`Snapshot` holds one as a value that another process can apply. Calls only ask
which selection holds; which backend a label names is asked of ``_backends``.
"""
