"""How many requests an import sends at once, by what the server says."""

from __future__ import annotations

from searchindex.bulk.lines import Document
from searchindex.bulk.writing import Pace, _shared


def test_a_busy_server_gets_half_as_much_at_once() -> None:
    """It rises by one after each batch, never above four, and never falls to none."""
    pace = Pace()
    rising = []
    for _ in range(4):
        pace.adapt(busy=False)
        rising.append(pace.hands)
    falling = []
    for _ in range(4):
        pace.adapt(busy=True)
        falling.append(pace.hands)

    assert rising == [3, 4, 4, 4]
    assert falling == [2, 1, 1, 1]


def test_documents_of_one_id_stay_together_and_in_order() -> None:
    """The last one of a key counts, whoever sends the others."""
    documents = {number: Document(str(number % 7), "", b"{}") for number in range(100)}
    shares = _shared(documents, 4)

    assert sorted(number for share in shares for number in share) == list(range(100))
    for share in shares:
        assert list(share) == sorted(share)
    of_id = [{one.id for one in share.values()} for share in shares]
    assert sum(map(len, of_id)) == 7
