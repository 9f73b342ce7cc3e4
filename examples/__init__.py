"""Sample projects; not part of the wheel."""
