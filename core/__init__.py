"""
The ready-made Django project that comes with a clone: composition root of the suite.

Nothing imports it, and it isn't part of the wheel. Where Celery is installed, its application
is loaded with Django, so that shared tasks find it.
"""

from core.celery import app as celery_app

__all__ = ["celery_app"]
