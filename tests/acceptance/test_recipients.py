"""Recipients are told of an erasure, by post or mail, whatever happens on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from tests.fix_requests import PRELUDE, Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.acceptance

SECRET = "only for one test"
DECLARE = """
from django.conf import settings
settings.NEWSLETTER_SECRET = {secret!r}
from examples.streaming import privacy
from gdpr.privacy import Recipient
from gdpr.notices import delivery, ways
ways.ANSWER_SECONDS, ways.WHOLE_SECONDS = 1.0, 2.0
privacy.RECIPIENTS = [
    Recipient(id="newsletter", of=("listeners",), knows="email", webhook={url!r}, secret="NEWSLETTER_SECRET"),
    Recipient(id="tax", of=("subscriptions",), webhook={url!r}),
]
def done(key):
    request = erasure.work(approved(key))
    assert request.state in ("completed", "completed_with_retention"), request.state
    return request
def rows():
    return [
        [n.recipient, n.state, n.trouble, n.answer, n.attempts, n.sealed_person is None]
        for n in RecipientNotice.objects.order_by("recipient")
    ]
def hurry(): RecipientNotice.objects.filter(state="waiting").update(next_attempt_at="2020-01-01T00:00Z")
def deliver():
    found = delivery.deliver_due()
    return [len(found.informed), sorted(found.waiting.values()), sorted(found.by_hand.values())]
"""


@dataclass
class Recipient:
    """
    A recipient's server, and what it does with each post: a status, `hang`, `die` or `drip`.

    Attributes:
        answers: For the next posts; 204 for those after.
        posts: Headers and body of each.
    """

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    over: Event = field(default_factory=Event)


def handler(recipient: Recipient) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            recipient.posts.append((dict(self.headers.items()), body))
            answer = recipient.answers.pop(0) if recipient.answers else 204
            if answer == "hang":
                recipient.over.wait(30)
            elif answer == "drip":
                for _ in range(100):
                    self.wfile.write(b"H")
                    if recipient.over.wait(0.3):
                        break
            elif answer == "die":
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self.send_response(answer)
                self.send_header("Location", recipient.url)
                self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def recipient() -> Iterator[Recipient]:
    """Give a recipient on this machine."""
    served = Recipient()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(served)) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}/erased"
        Thread(target=server.serve_forever, daemon=True).start()
        yield served
        served.over.set()
        server.shutdown()


def told(erasing: Erasing, url: str, code: str) -> Any:
    return erasing.call(DECLARE.format(url=url, secret=SECRET) + code)


def email(erasing: Erasing, key: int) -> str:
    [(found,)] = erasing.rows(f"SELECT email FROM streaming_listener WHERE id = {key}")
    return str(found)


def test_whoever_got_data_is_told_once_and_then_nothing_leads_to_the_person(
    erasing: Erasing, recipient: Recipient
) -> None:
    """The post names the person as the recipient knows them; who got what is kept by law isn't told."""
    address = email(erasing, 1)
    said = told(
        erasing,
        recipient.url,
        """
request = done(1)
waiting = [rows(), request_keys.ring([n.reference for n in RecipientNotice.objects.all()]).wrapped != {}]
first = processing.process_due()
again = processing.process_due()
verification.verify_again(request)
request.refresh_from_db()
made = request.receipts.all()
kinds = {r.kind: [[x["recipient"], x["state"]] for x in r.document["recipients"]] for r in made}
say([request.reference, waiting, [len(first.informed), first.uninformed, again.informed], rows(), kinds,
     [receipts.verify_receipt(receipts.signed_document(r)) for r in request.receipts.all()]])
""",
    )
    reference, waiting, rounds, rows, receipts, signers = said

    assert waiting == [[["newsletter", "waiting", "", None, 0, False]], True]
    assert (rounds, rows) == ([1, {}, []], [["newsletter", "informed", "", 204, 1, True]])
    assert receipts == {"erasure": [["newsletter", "waiting"]], "verification": [["newsletter", "informed"]]}
    assert signers == ["self", "self"]
    [(headers, body)] = recipient.posts
    document = json.loads(body)
    assert (document["person"]["key"], document["person"]["values"]) == ("email", [address])
    assert (document["kind"], document["request"]) == ("erasure", reference)
    assert headers["Idempotency-Key"] == document["notice"]
    assert_signed(headers, body)
    assert erasing.rows("SELECT count(*) FROM gdpr_requestkey") == [(0,)]
    [event] = erasing.rows(
        "SELECT object_ref, request_ref, plan_digest FROM accord_auditevent "
        "WHERE event = 'recipient.notified'"
    )
    assert event == (document["notice"], reference, document["signed"]["digest"])


def assert_signed(headers: dict[str, str], body: bytes) -> None:
    """Check a post as a recipient does: by the shared secret, and by the public key."""
    code = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["Accord-Signature"] == f"sha256={code}"
    document = json.loads(body)
    proof = document.pop("signed")
    payload = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(payload).hexdigest() == proof["digest"]
    purpose = b"accord.notice/1"
    framed = b"accord signature 1" + len(purpose).to_bytes(4, "big") + purpose + payload
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(proof["public_key"]))
    key.verify(base64.b64decode(proof["signature"].split(":")[2]), framed)


def test_a_recipient_that_fails_is_tried_again_later(erasing: Erasing, recipient: Recipient) -> None:
    """An error, silence, an end in the middle, bytes that drip, a way elsewhere: each time the same post."""
    recipient.answers = [500, "hang", "die", "drip", 307]
    began = time.monotonic()
    said = told(
        erasing,
        recipient.url,
        """
done(1)
found = []
for _ in range(6):
    found.append([deliver(), deliver()[0]])
    found[-1] += rows()
    hurry()
say(found)
""",
    )

    troubles = ["refused", "timeout", "unreachable", "timeout", "refused"]
    assert [one[0] for one in said] == [[0, [each], []] for each in troubles] + [[1, [], []]]
    assert [one[1] for one in said] == [0] * 6, "what failed isn't tried again at once"
    assert [one[2][2:5] for one in said[:5]] == [
        ["refused", 500, 1], ["timeout", None, 2], ["unreachable", None, 3],
        ["timeout", None, 4], ["refused", 307, 5],
    ]  # fmt: skip
    assert said[5][2] == ["newsletter", "informed", "", 204, 6, True]
    assert len(recipient.posts) == 6
    assert len({body for _headers, body in recipient.posts}) == 1
    assert time.monotonic() - began < 60


def test_killed_after_sending_it_is_sent_again_under_the_same_key(
    erasing: Erasing, recipient: Recipient
) -> None:
    """At least once: the recipient sees by the key that two posts are one, and the trail has one event."""
    code = DECLARE.format(url=recipient.url, secret=SECRET)
    erasing.call(code + "done(1)")
    killed = "import os\ndelivery._inform = lambda *a, **k: os._exit(9)\ndelivery.deliver_due()"
    assert erasing.project.run("-c", PRELUDE + code + killed, program=()).returncode == 9

    after = erasing.call(code + "early = deliver(); hurry(); say([early, deliver(), rows()])")

    assert after == [[0, [], []], [1, [], []], [["newsletter", "informed", "", 204, 2, True]]]
    assert len({headers["Idempotency-Key"] for headers, _body in recipient.posts}) == 1
    assert len(recipient.posts) == 2
    events = "SELECT count(*) FROM accord_auditevent WHERE event = 'recipient.notified'"
    assert erasing.rows(events) == [(1,)]


def test_a_notice_is_there_with_the_completion_and_once(erasing: Erasing, recipient: Recipient) -> None:
    """Without the completion there is none; after a second one there is one still; rivals send it once."""
    said = told(
        erasing,
        recipient.url,
        """
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
request, issue = approved(1), receipts.make
def broken(*a): raise RuntimeError
verification.receipts.make = broken
try: erasure.work(request)
except RuntimeError: pass
before = [ErasureRequest.objects.get(pk=request.pk).state, rows(), RequestKey.objects.count()]
verification.receipts.make = issue
request = erasure.work(request)
once = len(rows())
with state_changes.locked(request) as held:
    state_changes.move([held], RequestState.EXECUTING, verification.EventKind.ERASURE_REOPENED)
request = erasure.work(held)
def rival(_):
    try: return deliver()[0]
    finally: connections.close_all()
with ThreadPoolExecutor(4) as pool: sent = sum(pool.map(rival, range(4)))
say([before, once, request.state, len(rows()), sent])
""",
    )
    before, once, state, rows, sent = said

    assert before == ["verifying", [], 1], "only the key of the request"
    assert (once, state, rows, sent) == (1, "completed_with_retention", 1, 1)
    assert len(recipient.posts) == 1


def test_what_fails_too_often_waits_for_a_person(erasing: Erasing, recipient: Recipient) -> None:
    """Health says so; a person has it tried again, or tells the recipient and notes that."""
    recipient.answers = [503, 404]
    said = told(
        erasing,
        recipient.url,
        """
from gdpr.health_checks import look_at_recipients
from accord.errors import AccordError
def code(act):
    try: act()
    except AccordError as exc: return exc.code
    return "done"
def health(): return [(f.level.name, f.value) for f in look_at_recipients()]
done(1); done(2)
delivery.ATTEMPTS = 1
calm = health()
rounds = [deliver(), deliver()]
stuck, shown = rows(), health()
one, two = RecipientNotice.objects.order_by("pk")
nobody = get_user_model().objects.get(username="nobody")
refused = [code(lambda: delivery.retry(one, by=nobody)), code(lambda: delivery.confirm(one, by=nobody))]
delivery.retry(one, by=filer)
sent = deliver()
delivery.confirm(two, by=filer)
late = [code(lambda: delivery.retry(one, by=filer)), code(lambda: delivery.confirm(two, by=filer))]
processing.process_due()
say([calm, rounds, stuck, shown, refused, sent, late, rows(), health(), RequestKey.objects.count(),
     RecipientNotice.objects.filter(informed_by=filer.pk).count()])
""",
    )
    calm, rounds, stuck, shown, refused, sent, late, rows, after, keys, by_hand = said

    assert calm == [["OK", 0]]
    assert rounds == [[0, [], ["refused"]], [0, [], ["refused"]]], "who is away isn't asked twice a round"
    assert [one[1:4] for one in stuck] == [["by_hand", "refused", 503], ["by_hand", "refused", 404]]
    assert shown == [["WARN", 2]]
    assert (refused, late) == (["ACC-824", "ACC-824"], ["ACC-822", "ACC-822"])
    assert (sent, [one[1] for one in rows], after) == ([1, [], []], ["informed"] * 2, [["OK", 0]])
    assert (keys, by_hand) == (2, 1), "those of the two requests"


def test_where_the_key_is_lost_a_person_has_to_tell_the_recipient(
    erasing: Erasing, recipient: Recipient
) -> None:
    """A crash of PostgreSQL empties the table of keys; no recipient is told of somebody else for that."""
    told(erasing, recipient.url, "done(1)")
    erasing.execute("TRUNCATE gdpr_requestkey")

    found = told(erasing, recipient.url, "say([deliver(), rows()])")

    assert found == [[0, [], ["key_lost"]], [["newsletter", "by_hand", "key_lost", None, 1, False]]]
    assert recipient.posts == []


def test_who_was_told_stays_told(erasing: Erasing, recipient: Recipient) -> None:
    """PostgreSQL refuses changes, and the trail has an event of each that was taken."""
    told(erasing, recipient.url, "done(1); done(2); recipient = deliver()")
    for statement in (
        "UPDATE gdpr_recipientnotice SET state = 'waiting', informed_at = NULL",
        "UPDATE gdpr_recipientnotice SET recipient = 'another'",
        "DELETE FROM gdpr_recipientnotice",
    ):
        with pytest.raises(Exception, match=r"stays told|refused"):
            erasing.execute(statement)
    erasing.execute(
        "ALTER TABLE gdpr_recipientnotice DISABLE TRIGGER USER; "
        "DELETE FROM gdpr_recipientnotice WHERE id = (SELECT min(id) FROM gdpr_recipientnotice); "
        "ALTER TABLE gdpr_recipientnotice ENABLE TRIGGER USER"
    )
    done = erasing.command("audit_verify", "--format", "json")
    kinds = [problem["kind"] for problem in json.loads(done.stdout)["problems"]]
    assert (done.returncode, kinds) == (6, ["gone"])


def test_a_certificate_that_nobody_trusts_is_told_nothing(erasing: Erasing, tmp_path: Path) -> None:
    """A key of a person goes to nobody who only says that they are the recipient."""
    served = Recipient()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(served)) as server:
        server.socket = own_tls(tmp_path).wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_address[1]}/"
        found = told(erasing, url, "done(1); say(deliver())")
        server.shutdown()

    assert found == [0, ["untrusted"], []]
    assert served.posts == []


def own_tls(folder: Path) -> ssl.SSLContext:
    """Make a certificate for this machine that no authority signed."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    file = folder / "own.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_mail_is_in_the_recipients_language(erasing: Erasing) -> None:
    """It names the person, bears the number of the notice, and has the signed document beside it."""
    address = email(erasing, 1)
    said = erasing.call(
        DECLARE.format(url="http://127.0.0.1:9/", secret=SECRET)
        + """
privacy.RECIPIENTS = [
    Recipient(id="paper", of=("listeners",), knows="email", mail="privacy@example.org", language="fr")
]
settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
from django.core import mail
done(1)
found = deliver()
[sent] = mail.outbox
say([found, sent.to, sent.subject, sent.body, sent.message()["Message-ID"], sent.attachments,
     RecipientNotice.objects.get().reference])
"""
    )
    found, to, subject, body, number, attached, reference = said

    assert (found, to) == ([1, [], []], ["privacy@example.org"])
    assert "Effacement" in subject
    assert address in body
    assert number.startswith(f"<{reference}@")
    assert json.loads(attached[0][1])["person"]["values"] == [address]


PAGES = """
done(1)
recipient_down = deliver()
notice = RecipientNotice.objects.get()
own, stranger = client("filer"), client("nobody")
listing = reverse("admin:gdpr_recipientnotice_changelist")
address = page("recipientnotice_change", notice)
german = text(own.get(listing, headers={"accept-language": "de"}))
shown = [text(own.get(listing)), text(own.get(address)), german]
posted = stranger.post(page("recipientnotice_retry", notice))
refused = [stranger.get(listing).status_code, posted.status_code]
own.get(page("recipientnotice_told", notice))
untouched = fresh(notice).state
own.post(page("recipientnotice_retry", notice))
again = [fresh(notice).attempts, deliver()]
sent = text(own.get(address))
late = own.post(page("recipientnotice_told", notice), follow=True)
receipt = ErasureRequest.objects.get().receipts.get()
said = ["newsletter" in shown[0], "listeners" in shown[0], "no answer in time" in shown[1],
        "../retry/" in shown[1], "Wer Daten erhält" in shown[2]]
say([said, refused, untouched, again, ["../retry/" in sent, "../told/" in sent],
     "is told already" in text(late), "not informed yet" in receipts.render_html(receipt),
     "not informed yet" in text(own.get(page("receipt_change", receipt)))])
"""


def test_the_admin_shows_who_is_not_told_and_has_it_tried_again(
    erasing: Erasing, recipient: Recipient
) -> None:
    """Who is declared, what waits and why; only a POST of somebody who may act does anything."""
    recipient.answers = ["hang"]
    seen = told(erasing, recipient.url, CLIENT + PAGES)
    shown, refused, untouched, again, offered, late, printed, page = seen

    assert shown == [True] * 5
    assert (refused, untouched) == ([403, 403], "waiting")
    assert (again, offered) == ([0, [1, [], []]], [False, False])
    assert (late, printed, page) == (True, True, True)
