"""How far imports are, in an index of the suite's own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from accord.bulk.errors import ImportUnderWay
from accord.seam.bulk import Position
from searchindex.transport import Transport, at

_BODY = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "auto_expand_replicas": "0-1"},
    "mappings": {"dynamic": False},
}


@dataclass(frozen=True)
class Positions:
    """
    The position of one import.

    Attributes:
        transport: Connection.
        index: The index that keeps it.
        import_id: Stands for the import.
        target: Where it goes, for whoever looks.
    """

    transport: Transport
    index: str
    import_id: str
    target: str

    def read(self) -> Position | None:
        """Return it; None where the import hasn't begun. It is there afterwards."""
        found = self._found()
        if found is not None:
            return Position(**found["_source"]["position"])
        # 400: somebody else made it at the same moment; a later document makes it as well.
        self.transport.request("PUT", at(self.index), _BODY, accept=(400,))
        self._put(Position(), "op_type=create")
        return None

    def move(self, before: Position, after: Position) -> None:
        """
        Write it down.

        Raises:
            ImportUnderWay: It isn't what it was before: another process carries out the same import.
        """
        found = self._found()
        is_ours = found is not None and Position(**found["_source"]["position"]) == before
        if found is None or not is_ours or not self._put(after, _unchanged(found)):
            raise ImportUnderWay(
                f"Another process imports the same files into {self.target}.",
                hint="Wait until it has ended, then run the same command again; it goes on from there.",
            )

    def _found(self) -> Any | None:
        return self.transport.find(at(self.index, "_doc", self.import_id))

    def _put(self, position: Position, condition: str) -> bool:
        body = {"target": self.target, "position": asdict(position)}
        path = f"{at(self.index, '_doc', self.import_id)}?{condition}"
        return self.transport.request("PUT", path, body, accept=(409,)).status != HTTPStatus.CONFLICT


def _unchanged(found: Any) -> str:
    return f"if_seq_no={found['_seq_no']}&if_primary_term={found['_primary_term']}"
