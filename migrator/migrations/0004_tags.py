"""Tags name what stands applied after a run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0003_forget"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="tag")),
                ("run_id", models.CharField(blank=True, max_length=40, verbose_name="run")),
                ("steps", models.JSONField(verbose_name="steps applied")),
                ("made_at", models.DateTimeField(verbose_name="made")),
            ],
            options={
                "verbose_name": "tag",
                "verbose_name_plural": "tags",
                "ordering": ("-made_at", "-id"),
                "default_permissions": ("view",),
            },
        ),
    ]
