"""Exports that are made in the admin are kept for a time, encrypted."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gdpr.fields


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0011_holds_stay"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=gdpr.fields.random_reference,
                        editable=False,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("subject_kind", models.CharField(max_length=100, verbose_name="kind of person")),
                ("subject_tag", models.CharField(db_index=True, max_length=200, verbose_name="subject tag")),
                ("form", models.CharField(max_length=4, verbose_name="form")),
                ("portable", models.BooleanField(verbose_name="portable")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("downloads", models.PositiveIntegerField(default=0, verbose_name="downloads")),
                ("deleted_at", models.DateTimeField(null=True, verbose_name="deleted")),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
                "ordering": ("-made_at", "-id"),
                "default_permissions": (),
                "required_db_vendor": "postgresql",
            },
        ),
    ]
