"""
The operations of search revisions, one noun a module.

Nothing is imported here: a run loads the operations that its revisions use.
"""
