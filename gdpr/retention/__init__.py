"""
Retention: rows and documents whose time is over go by themselves.

What may enter: what is due, the run that lets it go, and its record. What may not: how a store finds rows by
a date (`gdpr.stores`), and what a term is (`gdpr.datamap`).
"""
