"""People may ask for their erasure on their own page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0015_retention"),
    ]

    operations = [
        migrations.AlterField(
            model_name="erasurerequest",
            name="channel",
            field=models.CharField(
                choices=[
                    ("command", "command line"),
                    ("admin", "admin"),
                    ("api", "API"),
                    ("retention", "retention rule"),
                    ("replay", "replay after a restore"),
                    ("self", "the person's own page"),
                ],
                max_length=10,
                verbose_name="received by",
            ),
        ),
        migrations.AlterField(
            model_name="rightsrequest",
            name="channel",
            field=models.CharField(
                choices=[
                    ("command", "command line"),
                    ("admin", "admin"),
                    ("api", "API"),
                    ("retention", "retention rule"),
                    ("replay", "replay after a restore"),
                    ("self", "the person's own page"),
                ],
                max_length=10,
                verbose_name="received by",
            ),
        ),
    ]
