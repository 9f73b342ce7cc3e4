"""
Copying documents into a new index: by the server where it can, by this process where it can't.

What may enter: ways of copying, and keeping writes off meanwhile. What may not: the decision that
an index has to be made anew.
"""
