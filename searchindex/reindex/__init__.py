"""Copying an index into another: strategies that keep or stop writes, ways to copy documents."""
