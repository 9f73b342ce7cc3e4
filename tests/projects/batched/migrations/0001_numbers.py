"""The rows that are counted."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            "CREATE TABLE numbers "
            "(id int PRIMARY KEY, n int NOT NULL DEFAULT 0, visits int NOT NULL DEFAULT 0)",
            "DROP TABLE numbers",
        ),
        migrations.RunSQL("INSERT INTO numbers SELECT generate_series(1, 40)", "DELETE FROM numbers"),
    ]
