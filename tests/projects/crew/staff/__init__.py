"""Whoever works for the service."""
