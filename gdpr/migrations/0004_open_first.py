"""Lists of requests begin with those that are open, the next deadline first; an index gives that order."""

from django.db import migrations, models
from django.db.models.functions import Coalesce

_OVER = models.Q(
    state__in=("completed", "completed_with_retention", "rejected", "cancelled", "duplicate"),
)
_ENDED = Coalesce("closed_at", "completed_at", "received_at")
_ORDER = (
    models.OrderBy(models.ExpressionWrapper(_OVER, output_field=models.BooleanField())),
    models.OrderBy(models.Case(models.When(~_OVER, then=models.F("due_at")))),
    models.OrderBy(models.Case(models.When(_OVER, then=_ENDED)), descending=True),
    models.OrderBy(models.F("id")),
)


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0003_datamap")]

    operations = [
        migrations.AlterModelOptions(
            name="erasurerequest",
            options={
                "ordering": _ORDER,
                "permissions": (
                    ("approve_erasurerequest", "Can approve or reject erasure plans of others"),
                    ("execute_erasurerequest", "Can start and continue approved erasures"),
                ),
                "verbose_name": "erasure request",
                "verbose_name_plural": "erasure requests",
            },
        ),
        # Of a request's own order, which has expressions, Django can't make one of another model.
        migrations.AlterModelOptions(
            name="erasureplan",
            options={
                "ordering": ("request_id", "-number"),
                "verbose_name": "erasure plan",
                "verbose_name_plural": "erasure plans",
            },
        ),
        migrations.AlterModelOptions(
            name="erasurestep",
            options={
                "ordering": ("request_id", "position"),
                "verbose_name": "step of an erasure",
                "verbose_name_plural": "steps of an erasure",
            },
        ),
        # lint: waive index-not-concurrent for good (accord): released before there was lint
        migrations.AddIndex(
            model_name="erasurerequest",
            index=models.Index(*_ORDER, name="gdpr_request_open_first"),
        ),
    ]
