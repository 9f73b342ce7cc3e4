"""
What the HTTP APIs of the suite share: problems, permissions, throttles, pagination, the schema.

What may enter: what two APIs need. What may not: an operation of one package, except health and the
audit trail, which are the kernel's own.
"""
