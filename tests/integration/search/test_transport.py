"""The light transport on real connections: many threads, broken connections, busy servers, TLS."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accord.errors import StoreUnavailable
from searchindex import transport as transport_module
from searchindex.endpoint import parse_url
from searchindex.transport import ReplyLost, RequestRefused, Transport, at
from tests.fix_search import MakeHarness
from tests.integration.search.peer import Peer

pytestmark = pytest.mark.integration

REQUESTS = 800
THREADS = 2


def connected(url: str, ca_certs: str = "") -> closing[Transport]:
    """Connect to a server."""
    return closing(Transport(parse_url(url, connect_timeout=2, ca_certs=ca_certs)))


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def side_by_side(ask: Callable[[int], object]) -> list[object]:
    """Ask everything by threads at once; give answers in the order of the questions."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(ask, range(REQUESTS)))


# --- threads -------------------------------------------------------------------------------------------


def test_two_threads_on_one_transport_each_get_their_own_answers(peer: Peer) -> None:
    """Eight hundred requests of two threads: all are answered, each to whoever asked."""
    with connected(peer.url) as transport:
        answers = side_by_side(lambda n: transport.request("POST", f"/echo/{n}", {"n": n}).body["path"])

    assert answers == [f"/echo/{n}" for n in range(REQUESTS)]
    assert peer.connections <= THREADS


def test_two_threads_on_one_store_read_what_they_asked_for(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """The same on each engine: documents come to whoever asked, and the ledger can be read meanwhile."""
    harness = make_search_harness(search_url)
    store = harness.store()
    index = f"{harness.prefix}tracks-0001"
    lines = [part for n in range(50) for part in (f'{{"index":{{"_id":"{n}"}}}}', f'{{"number":{n}}}')]
    store.transport.request("POST", at(index, "_bulk"), ("\n".join(lines) + "\n").encode())

    def ask(n: int) -> object:
        if n % 20 == 0:
            assert store.applied() == {}
            assert store.ping().alias == store.alias
        return store.transport.get(at(index, "_doc", str(n % 50)))["_source"]["number"]

    assert side_by_side(ask) == [n % 50 for n in range(REQUESTS)]


def test_closing_under_another_thread_costs_no_answer(peer: Peer) -> None:
    """A thread that closes lets idle connections go; the next request opens another."""
    with connected(peer.url) as transport:

        def ask(n: int) -> object:
            if n % 40 == 0:
                transport.close()
            return transport.get(f"/echo/{n}")["path"]

        answers = side_by_side(ask)

    assert answers == [f"/echo/{n}" for n in range(REQUESTS)]


# --- connections that break ------------------------------------------------------------------------------


def test_idle_connection_that_the_server_closed_is_opened_again(peer: Peer) -> None:
    """Nothing was sent on it, so a request that changes something goes out as well, once."""
    with connected(peer.url) as transport:
        transport.get("/leave")
        time.sleep(0.1)

        assert transport.request("POST", "/echo/1", {}).body == {"path": "/echo/1"}

    assert peer.asked["/echo/1"] == 1


def test_question_whose_connection_broke_is_asked_once_more(peer: Peer) -> None:
    """A GET changes nothing; a connection that breaks again is told."""
    with connected(peer.url) as transport:
        assert transport.get("/drop/1") == {"path": "/drop/1"}
        with pytest.raises(ReplyLost):
            transport.get("/drop/9")

    assert peer.asked == {"/drop/1": 2, "/drop/9": 2}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_change_whose_connection_broke_is_never_sent_again(peer: Peer, method: str) -> None:
    """It may have taken effect; whoever sent it looks. The transport works on."""
    with connected(peer.url) as transport:
        with pytest.raises(ReplyLost, match="Remote end closed"):
            transport.request(method, "/drop/1", {})

        assert transport.get("/echo/1") == {"path": "/echo/1"}

    assert peer.asked["/drop/1"] == 1


def test_silence_is_waited_for_once(peer: Peer) -> None:
    """A server that does not answer in time is not asked again, not even a question."""
    with connected(peer.url) as transport, pytest.raises(ReplyLost, match="timed out"):
        transport.request("GET", "/slow/1", timeout=0.2)

    assert peer.asked["/slow/1"] == 1


def test_server_that_is_gone_was_sent_nothing() -> None:
    """Gone before the first request or between two: the message says that it can't be reached."""
    with Peer() as peer, connected(peer.url) as transport:
        transport.get("/leave")
        url = peer.url
    with connected(url) as fresh:
        for left in (transport, fresh):
            with pytest.raises(StoreUnavailable, match=r"can't be reached .*refused") as failure:
                left.request("POST", "/echo/1", {})
            assert not isinstance(failure.value, ReplyLost)


def test_message_tells_of_this_failure_and_not_of_an_earlier_one() -> None:
    """A request that is sent while another error is handled says why it failed itself."""
    with Peer() as peer:
        url = peer.url

    def clean_up_after_an_error(transport: Transport) -> None:
        try:
            int("the copy failed")
        except ValueError:
            transport.get("/echo/1")

    with connected(url) as transport, pytest.raises(StoreUnavailable, match="refused"):
        clean_up_after_an_error(transport)


# --- a busy server -----------------------------------------------------------------------------------------


def test_busy_server_is_asked_again(peer: Peer) -> None:
    """Whatever it turned away, it did not begin."""
    with connected(peer.url) as transport:
        assert transport.request("POST", "/busy/2", {}).status == 200

    assert peer.asked["/busy/2"] == 3


def test_refusal_that_the_caller_understands_comes_at_once(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who accepts 429 judges it; who doesn't and meets a server that stays busy is told so."""
    # How long it waits is not the question here; how often it asks again is.
    monkeypatch.setattr(transport_module, "_PATIENCE", transport_module._PATIENCE.new(backoff_max=0.02))
    with connected(peer.url) as transport:
        assert transport.request("GET", "/busy/99", accept=(429,)).status == 429
        assert peer.asked["/busy/99"] == 1
        with pytest.raises(RequestRefused) as failure:
            transport.request("GET", "/busy/99")

    assert failure.value.status == 429
    assert peer.asked["/busy/99"] > 5


def test_page_of_a_proxy_is_no_answer_of_a_search_server(peer: Peer) -> None:
    """200 and a page to sign in: said with the next move, and not taken for an empty answer."""
    with (
        connected(peer.url) as transport,
        pytest.raises(StoreUnavailable, match="no search server") as failure,
    ):
        transport.request("GET", "/page")

    assert "text/html" in failure.value.message
    assert "proxy" in failure.value.hint


# --- TLS ---------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for 127.0.0.1 that signs itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "peer.pem").write_bytes(secret + made.public_bytes(pem))
    return tmp_path / "peer.pem"


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[Peer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Peer(context) as running:
        yield running


def test_trusted_certificate_lets_requests_through(encrypted: Peer, certificate: Path) -> None:
    """The file that is named replaces the system's certificates; a broken connection is one, here too."""
    with connected(encrypted.url, ca_certs=str(certificate)) as transport:
        assert transport.get("/echo/1") == {"path": "/echo/1"}
        with pytest.raises(ReplyLost):
            transport.request("POST", "/drop/1", {})


def test_untrusted_certificate_is_told_before_anything_is_sent(encrypted: Peer) -> None:
    """Neither credentials nor data leave."""
    with (
        connected(encrypted.url) as transport,
        pytest.raises(StoreUnavailable, match="isn't trusted") as told,
    ):
        transport.request("POST", "/echo/1", {})

    assert not isinstance(told.value, ReplyLost)
    assert not encrypted.asked


def test_server_without_tls_is_told(peer: Peer) -> None:
    """`https` in the URL of a server that speaks plain HTTP."""
    url = peer.url.replace("http:", "https:")

    with connected(url) as transport, pytest.raises(StoreUnavailable, match="speaks no TLS"):
        transport.get("/")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_server_that_wants_tls_is_told(encrypted: Peer, method: str) -> None:
    """`http` in the URL of a server that speaks TLS, and hangs up; nothing can have been done."""
    url = encrypted.url.replace("https:", "http:")

    with connected(url) as transport, pytest.raises(StoreUnavailable, match="was asked without it") as told:
        transport.request(method, "/echo/1")

    assert not isinstance(told.value, ReplyLost)
    assert "https://" in told.value.hint
    assert not encrypted.asked
