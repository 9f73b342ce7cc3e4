"""
The audit trail: who did what, chained by hash, with signed heads outside the database.

`trail` records, `events` is the vocabulary, `chain` hashes, `signed_heads` keeps the heads,
`verification` checks, `auditlog` sets up django-auditlog. What may enter: code about evidence of
acts. What may not: what an act does to a store, and screens. It imports the kernel's models,
secrets and settings, never a store. This file stays empty: the models import `events`.
"""
