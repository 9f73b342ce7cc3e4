"""
Accord: one plan, one lease and one account of truth for every store of a Django project.

This package is the kernel. It imports no sibling application; the siblings
(`migrator`, `mongo_migrations`, `searchindex`, `gdpr`) build on it.
"""

__version__ = "0.1.0"
