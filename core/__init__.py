"""
The ready-made Django project that comes with a clone: composition root of the suite.

Nothing imports it, and it isn't part of the wheel.
"""
