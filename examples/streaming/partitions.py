"""Which tables of the service may be divided once they are large: payments come by the month, and rest."""

from __future__ import annotations

from migrator.partitions import ByTime, Every, Partitioned

PARTITIONS = [
    Partitioned(
        model="streaming.LabelPayment",
        key="month",
        by=ByTime(every=Every.YEAR, ahead=1, keep=10),
        # Nothing refers to a payment by its number, which a sequence makes.
        widen_primary_key=True,
    ),
]
