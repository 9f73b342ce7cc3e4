"""Readers: from each kind of file to a subject."""
