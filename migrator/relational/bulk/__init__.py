"""Rows of PostgreSQL into files and back, by COPY."""
