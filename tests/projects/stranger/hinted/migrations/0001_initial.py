"""A table that no model stands for, in the database that the hint names."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("CREATE TABLE archive (i int)", "DROP TABLE archive", hints={"to": "logs"}),
    ]
