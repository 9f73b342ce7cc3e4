"""
Everything that becomes of a demand for erasure, from its receipt to its receipt.

The saga works on sets of requests: one alone is a set of one. A phase takes a set as far as it goes
together and returns a refusal for each request that it can't take further, so that no person's
trouble is another's. Screens, the API and the commands call what is here; it calls the stores.
"""
