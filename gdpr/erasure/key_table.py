"""Keys of requests in an UNLOGGED table: outside of the write-ahead log, standbys and base backups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper

from accord.connecting import code_of
from gdpr.erasure import state_changes
from gdpr.models import RequestKey
from gdpr.stores.lookups import Values

_LOCK_NOT_AVAILABLE = "55P03"
_OPEN = """
    SELECT reference FROM gdpr_erasurerequest WHERE sealed_keys IS NOT NULL
    UNION ALL SELECT reference FROM gdpr_recipientnotice WHERE sealed_person IS NOT NULL
    UNION ALL SELECT reference FROM gdpr_rightsrequest WHERE sealed_keys IS NOT NULL
"""
_NEEDED = f"""
    SELECT held.reference, held.wrapped FROM gdpr_requestkey AS held
    WHERE held.reference IN ({_OPEN})
"""  # noqa: S608 - constants
_ENDED = f"""
    SELECT count(*) FROM gdpr_requestkey AS held WHERE held.reference NOT IN ({_OPEN})
"""  # noqa: S608 - constants


class KeyTable:
    """
    Encrypted keys in the table `gdpr_requestkey`.

    A deleted row stays readable in the table's file until something overwrites it. So nothing is
    deleted: those that are still needed move to a new file, and the server removes the old one.
    """

    def keep(self, wrapped: Mapping[str, bytes]) -> None:
        """Add rows in the open transaction."""
        rows = [RequestKey(reference=reference, wrapped=key) for reference, key in wrapped.items()]
        RequestKey.objects.bulk_create(rows, batch_size=1000)

    def read(self, references: Iterable[str]) -> Mapping[str, bytes]:
        """Return those that are there, by one statement."""
        rows = RequestKey.objects.filter(reference__among=Values(references))
        return {reference: bytes(key) for reference, key in rows.values_list("reference", "wrapped")}

    def count_ended(self) -> int:
        """Count the rows whose request is over."""
        with connections[state_changes.alias()].cursor() as cursor:
            cursor.execute(_ENDED)
            return int(cursor.fetchone()[0])

    def destroy_ended(self) -> int:
        """
        Move the rows that are still needed to a new file.

        Returns:
            How many were left behind; 0 where others held the table for two seconds.
        """
        try:
            with (
                transaction.atomic(using=state_changes.alias()),
                connections[state_changes.alias()].cursor() as cursor,
            ):
                return self._rewrite(cursor)
        except OperationalError as exc:
            if code_of(exc) == _LOCK_NOT_AVAILABLE:
                return 0
            raise

    def _rewrite(self, cursor: CursorWrapper) -> int:
        # Nothing else is held while it waits, so no two sessions wait for each other.
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("LOCK TABLE gdpr_requestkey IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SELECT count(*) FROM gdpr_requestkey")
        before = int(cursor.fetchone()[0])
        cursor.execute(_NEEDED)
        needed = {reference: bytes(key) for reference, key in cursor.fetchall()}
        cursor.execute("TRUNCATE gdpr_requestkey")
        self.keep(needed)
        return before - len(needed)
