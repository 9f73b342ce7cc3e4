"""
The data map: where personal data are kept, and what becomes of each when a person is erased.

A project declares it in the `privacy.py` of its apps, with the names of `gdpr.privacy`. What may
enter: entries, locators, actions, strategies, subjects, and what can be found wrong with them. What
may not: carrying anything out (`gdpr.erasure`), and a driver of a store (`gdpr.stores`).
"""
