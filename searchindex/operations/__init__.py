"""
The operations of search revisions, one kind a module.

What may enter: an operation, with what it sends as data. What may not: the order of steps or the
ledger; the machine of revisions keeps those.
"""
