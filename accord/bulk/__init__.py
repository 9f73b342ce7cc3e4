"""Exports and imports in bulk: files, their manifest, and what may not be in them."""
