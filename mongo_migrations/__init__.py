"""Versioned changes of MongoDB: revisions, their operations, and the store that applies them."""
