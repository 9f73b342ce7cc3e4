"""Which transactions have been open for long on the tables that migrations change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import DatabaseError, connections, transaction

from accord.connecting import trouble_of
from accord.locks import occupants
from migrator.relational.vendors import vendor_of


def named(alias: str, tables: Collection[str]) -> Sequence[str]:
    """
    Name who has tables open, for people.

    Args:
        alias: The database.
        tables: Their names.
    """
    connection = connections[alias]
    if not tables or not vendor_of(connection).queues_for_locks:
        return ()
    try:
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            names, quoted = occupants.names_of(tables)
            cursor.execute(occupants.QUERY, [names, quoted, occupants.LONG])
            return [str(one) for one in occupants.occupants_of(cursor.fetchall())]
    except DatabaseError as exc:
        if trouble_of(exc) is not None:
            raise
        return ("Who has the tables open that steps change could not be seen.",)
