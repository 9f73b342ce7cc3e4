"""
Who was erased: fences and tombstones that every backfill and reindex checks.

A person is kept here as a keyed hash alone. What may enter: the identity of a data subject's key,
fences, tombstones. What may not: how a store finds or deletes a person's data; that is the business
of `gdpr`. It imports the kernel's models and secrets, never a store.
"""
