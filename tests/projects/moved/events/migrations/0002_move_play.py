"""Plays belong to events."""

from django.db import migrations

from migrator.operations import MoveModel


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial"), ("streaming", "0001_initial"), ("reviews", "0001_initial")]

    operations = [
        MoveModel(
            "Play",
            from_app="streaming",
            names={
                "streaming_play_once": "events_play_once",
                "streaming_play_positive": "events_play_positive",
            },
        ),
    ]
