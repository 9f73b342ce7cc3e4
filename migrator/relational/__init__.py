"""Every alias of `DATABASES` as a store: Django's own migrations, unmodified, kept to the suite's promises."""
