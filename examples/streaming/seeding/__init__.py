"""Seed data: the same people, music and habits on every machine, for the same seed."""
