"""
Consent: an append-only register of what each person agreed to, withdrew, or let expire.

What may enter: consents and the notices that people were shown. What may not: erasure requests, and
screens. It imports the models and the kernel.
"""
