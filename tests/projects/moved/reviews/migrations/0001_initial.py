"""As makemigrations wrote it."""

import django.db.models.deletion
from django.db import migrations, models

import tests.projects.moved.plays


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("streaming", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LivePlay",
            fields=[
                (
                    "play_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="streaming.play",
                    ),
                ),
                ("hall", models.TextField()),
            ],
            bases=("streaming.play",),
            managers=[
                ("objects", tests.projects.moved.plays.Plays()),
            ],
        ),
        migrations.CreateModel(
            name="LoudPlay",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("streaming.play",),
            managers=[
                ("objects", tests.projects.moved.plays.Plays()),
            ],
        ),
        migrations.CreateModel(
            name="Chosen",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("play", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="streaming.play")),
            ],
        ),
        migrations.CreateModel(
            name="PlayList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "best",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="streaming.play"
                    ),
                ),
                ("liked", models.ManyToManyField(related_name="+", to="streaming.play")),
                (
                    "plays",
                    models.ManyToManyField(
                        related_name="lists", through="reviews.Chosen", to="streaming.play"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="chosen",
            name="playlist",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="reviews.playlist"),
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("play", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="streaming.play")),
            ],
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.TextField()),
                ("object_id", models.BigIntegerField()),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="contenttypes.contenttype"
                    ),
                ),
            ],
        ),
    ]
