"""Changes of a table that is in use: as `makemigrations` writes them, and as the server needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """
    One change of the table.

    Attributes:
        name: What it is called here.
        operation: As `makemigrations` writes it.
        bare: The statements that the server needs so that nobody waits.
        back: How they are undone.
    """

    name: str
    operation: str
    bare: Sequence[str]
    back: Sequence[str]


CHANGES = (
    Change(
        "index",
        'migrations.AddIndex("order", models.Index(fields=["note"], name="order_note"))',
        ["CREATE INDEX CONCURRENTLY order_note ON shop_order (note)"],
        ["DROP INDEX CONCURRENTLY order_note"],
    ),
    Change(
        "check",
        'migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(number__gte=0), '
        'name="order_number"))',
        [
            "ALTER TABLE shop_order ADD CONSTRAINT order_number CHECK (number >= 0) NOT VALID",
            "ALTER TABLE shop_order VALIDATE CONSTRAINT order_number",
        ],
        ["ALTER TABLE shop_order DROP CONSTRAINT order_number"],
    ),
    Change(
        "unique",
        'migrations.AddConstraint("order", models.UniqueConstraint(fields=["number"], name="order_once"))',
        [
            "CREATE UNIQUE INDEX CONCURRENTLY order_once ON shop_order (number)",
            "ALTER TABLE shop_order ADD CONSTRAINT order_once UNIQUE USING INDEX order_once",
        ],
        ["ALTER TABLE shop_order DROP CONSTRAINT order_once"],
    ),
    Change(
        "not null",
        'migrations.AlterField("order", "total", models.IntegerField())',
        [
            "ALTER TABLE shop_order ADD CONSTRAINT t CHECK (total IS NOT NULL) NOT VALID",
            "ALTER TABLE shop_order VALIDATE CONSTRAINT t",
            "ALTER TABLE shop_order ALTER total SET NOT NULL",
            "ALTER TABLE shop_order DROP CONSTRAINT t",
        ],
        ["ALTER TABLE shop_order ALTER total DROP NOT NULL"],
    ),
    Change(
        "column",
        'migrations.AddField("order", "state", models.CharField(max_length=9, default="new"))',
        [
            "ALTER TABLE shop_order ADD state varchar(9) DEFAULT 'new' NOT NULL",
            "ALTER TABLE shop_order ALTER state DROP DEFAULT",
        ],
        ["ALTER TABLE shop_order DROP state"],
    ),
    Change(
        "foreign key",
        'migrations.AddField("order", "buyer", models.ForeignKey("shop.customer", models.CASCADE, null=True)'
        ")",
        [
            "ALTER TABLE shop_order ADD buyer_id bigint",
            "CREATE INDEX CONCURRENTLY buyer ON shop_order (buyer_id)",
            (
                "ALTER TABLE shop_order ADD CONSTRAINT b FOREIGN KEY (buyer_id) REFERENCES shop_customer "
                "DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ),
            "ALTER TABLE shop_order VALIDATE CONSTRAINT b",
        ],
        ["ALTER TABLE shop_order DROP buyer_id"],
    ),
)
