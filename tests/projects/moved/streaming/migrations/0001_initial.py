"""As makemigrations wrote it."""

import django.db.models.deletion
from django.db import migrations, models

import tests.projects.moved.plays


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Play",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.IntegerField(db_index=True)),
                (
                    "after",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="streaming.play",
                    ),
                ),
                ("alike", models.ManyToManyField(to="streaming.play")),
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_plays",
                        to="streaming.label",
                    ),
                ),
                ("labels", models.ManyToManyField(related_name="+", to="streaming.label")),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["-at"], name="plays_by_time")],
                "constraints": [
                    models.UniqueConstraint(fields=("at", "label"), name="streaming_play_once"),
                    models.CheckConstraint(
                        condition=models.Q(("at__gte", 0)), name="streaming_play_positive"
                    ),
                ],
            },
            managers=[
                ("objects", tests.projects.moved.plays.Plays()),
            ],
        ),
    ]
