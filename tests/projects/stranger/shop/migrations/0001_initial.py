"""Things, and a log."""

from django.db import migrations, models

FIELDS = [("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False))]


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(name="Thing", fields=FIELDS),
        migrations.CreateModel(name="LogLine", fields=FIELDS),
        migrations.CreateModel(name="Gone", fields=FIELDS),
        migrations.DeleteModel(name="Gone"),
    ]
