"""The Celery app of another project on the same broker, which knows nothing of ours."""

from __future__ import annotations

import os

from celery import Celery

app = Celery("foreign", broker=os.environ["BATCHED_BROKER"])
app.conf.task_default_queue = "batched"
