"""Subscriptions: what a listener pays for, at most one that has not ended."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("streaming", "0001_listeners")]

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plan",
                    models.CharField(
                        choices=[
                            ("solo", "Solo"),
                            ("duo", "Duo"),
                            ("family", "Family"),
                            ("student", "Student"),
                        ],
                        max_length=10,
                    ),
                ),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                ("currency", models.CharField(help_text="ISO 4217.", max_length=3)),
                (
                    "period",
                    models.CharField(
                        choices=[("month", "Every month"), ("year", "Every year")],
                        default="month",
                        max_length=5,
                    ),
                ),
                ("started_on", models.DateField()),
                ("ended_on", models.DateField(blank=True, null=True)),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscriptions",
                        to="streaming.listener",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(price__gte=0), name="subscription_price_not_negative"),
                    models.CheckConstraint(
                        condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                        name="subscription_ends_after_start",
                    ),
                    models.UniqueConstraint(
                        condition=Q(ended_on__isnull=True),
                        fields=["listener"],
                        name="subscription_one_current",
                    ),
                ],
            },
        ),
    ]
