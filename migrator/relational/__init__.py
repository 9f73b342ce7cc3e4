"""Every alias of `DATABASES` as a store: Django's own migrations, unmodified."""
