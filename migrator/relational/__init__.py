"""
Django's own migrations as a store, on every database of `DATABASES`.

What may enter: code that reads migration files, the recorder and the catalog, or that runs one
migration. What may not: the plan. It imports the kernel and Django, and a vendor's driver in one
module alone.
"""
