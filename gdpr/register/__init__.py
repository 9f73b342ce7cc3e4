"""
The register of erasures: a signed file outside of every store, which no restore takes back.

What may enter: entries of the register, the file that they stand in, and what binds that file to its
database. What may not: how a person is erased, and when; that is the business of `gdpr.erasure`. It
imports the kernel, the models and the keys of people, never a store.
"""
