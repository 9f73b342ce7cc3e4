"""When workers were asked to look at a job in batches."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accord", "0018_words_of_bulk_checked"),
    ]

    operations = [
        migrations.AddField(
            model_name="batchjob",
            name="asked_at",
            field=models.DateTimeField(null=True, verbose_name="workers asked"),
        ),
    ]
