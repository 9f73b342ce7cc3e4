"""The words that requests, steps, holds and consents are described with. No other word is ever stored."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RequestState(models.TextChoices):
    """Where a demand for erasure stands."""

    RECEIVED = "received", _("received")
    """On record; the clock of Art. 12(3) runs."""
    IDENTITY_CHECK = "identity_check", _("identity check")
    """Reasonable doubt about who asks; proof was asked for (Art. 12(6))."""
    PLANNED = "planned", _("planned, awaiting approval")
    """What would happen is written down, and waits for a second person."""
    APPROVED = "approved", _("approved")
    """A second person agreed to exactly that plan."""
    FENCED = "fenced", _("fenced")
    """No writer of the suite brings the person back any more; from here on there is only forward."""
    EXECUTING = "executing", _("erasing")
    """Steps are being worked on."""
    RETRY_WAIT = "retry_wait", _("waiting to retry")
    """What could be done is done; the rest waits for its store."""
    BLOCKED_HOLD = "blocked_hold", _("blocked by a hold or a restriction")
    """A legal hold stops it until another person releases the hold; or a restriction, until it is lifted."""
    NEEDS_OPERATOR = "needs_operator", _("needs a person")
    """It can't go on by itself: a manual step, or too many failures."""
    VERIFYING = "verifying", _("verifying")
    """Everything is erased as far as the steps know; now the stores are asked again."""
    COMPLETED = "completed", _("completed")
    """Read back from every store: nothing is left."""
    COMPLETED_WITH_RETENTION = "completed_with_retention", _("completed, some data kept")
    """Read back from every store: nothing is left but what the law makes us keep."""
    REJECTED = "rejected", _("rejected")
    """Refused on a legal ground, within the month, with the way to complain (Art. 12(4))."""
    CANCELLED = "cancelled", _("cancelled")
    """Taken back before anything was done."""
    DUPLICATE = "duplicate", _("duplicate")
    """The same person's demand was open already; it counts for both."""


class StepState(models.TextChoices):
    """Where one entry of the data map stands within a request."""

    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    RETRY_WAIT = "retry_wait", _("waiting to retry")
    MANUAL = "manual", _("a person has to act")
    FAILED = "failed", _("failed")
    DONE = "done", _("done")


class Ground(models.TextChoices):
    """Why the person may demand it: the letters of Art. 17(1)."""

    NO_LONGER_NECESSARY = "17(1)(a)", _("no longer necessary")
    CONSENT_WITHDRAWN = "17(1)(b)", _("consent withdrawn")
    OBJECTION = "17(1)(c)", _("objection")
    UNLAWFUL = "17(1)(d)", _("unlawful processing")
    LEGAL_OBLIGATION = "17(1)(e)", _("legal obligation to erase")
    CHILD = "17(1)(f)", _("collected from a child")


class LapseKind(models.TextChoices):
    """Of whom rows are that have run out."""

    ROWS = "rows", _("everybody")
    KEPT = "kept", _("erased people")


class InactiveState(models.TextChoices):
    """How far the warning of an inactive person is."""

    SENDING = "sending", _("being sent")
    WARNED = "warned", _("warned")
    RETURNED = "returned", _("came back, or is gone")
    FILED = "filed", _("erasure asked for")


class RetentionState(models.TextChoices):
    """How far a run of retention is with a term."""

    RUNNING = "running", _("at work")
    DONE = "done", _("nothing is left")
    STOPPED = "stopped", _("stopped before the end")
    FAILED = "failed", _("failed")
    INTERRUPTED = "interrupted", _("killed")


class RetentionPlanState(models.TextChoices):
    """Where a plan of what retention would let go stands."""

    WAITING = "waiting", _("waiting for a second person")
    APPROVED = "approved", _("approved, for the next run")
    DONE = "done", _("carried out")
    REJECTED = "rejected", _("rejected, nothing goes")
    VOID = "void", _("void")
    """More has run out by its day than it says, the data map changed, or its time was over."""


class Channel(models.TextChoices):
    """How a demand reached us."""

    COMMAND = "command", _("command line")
    ADMIN = "admin", _("admin")
    API = "api", _("API")
    RETENTION = "retention", _("retention rule")
    REPLAY = "replay", _("replay after a restore")
    SELF = "self", _("the person's own page")


class IdentityMethod(models.TextChoices):
    """How it was made sure who asks. The proof itself is never kept."""

    ACCOUNT = "account", _("signed in to the account")
    ONE_TIME_CODE = "one_time_code", _("code sent to a known address")
    DOCUMENT = "document", _("document seen, not kept")
    STAFF = "staff", _("vouched for by the one who filed it")


class RejectionGround(models.TextChoices):
    """Why a demand is refused. The letters are those of the Regulation."""

    IDENTITY = "12(2)", _("the person can't be identified")
    EXCESSIVE = "12(5)", _("manifestly unfounded or excessive")
    EXPRESSION = "17(3)(a)", _("freedom of expression and information")
    LEGAL_OBLIGATION = "17(3)(b)", _("legal obligation or public task")
    PUBLIC_HEALTH = "17(3)(c)", _("public health")
    ARCHIVING = "17(3)(d)", _("archiving or research")
    LEGAL_CLAIMS = "17(3)(e)", _("legal claims")


class RightKind(models.TextChoices):
    """What a person may ask for beside access and erasure."""

    CORRECTION = "correction", _("correction (Art. 16)")
    OBJECTION = "objection", _("objection (Art. 21)")


class RightState(models.TextChoices):
    """Where a request of such a right stands."""

    RECEIVED = "received", _("received")
    IN_WORK = "in_work", _("in work")
    ANSWERED = "answered", _("answered")
    """The project did what was asked for, and told the person."""
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class RightRefusal(models.TextChoices):
    """Why such a request is refused. The letters are those of the Regulation."""

    IDENTITY = "12(2)", _("the person can't be identified")
    EXCESSIVE = "12(5)", _("manifestly unfounded or excessive")
    ACCURATE = "16", _("the data are accurate and complete")
    COMPELLING = "21(1)", _("compelling legitimate grounds, or legal claims")


class ExtensionReason(models.TextChoices):
    """Why two more months are needed: the only reasons that Art. 12(3) knows."""

    COMPLEXITY = "complexity", _("complexity")
    NUMBER = "number", _("number of requests")


class HoldReason(models.TextChoices):
    """Why data must stay for the time being."""

    LEGAL_CLAIMS = "17(3)(e)", _("legal claims")
    LEGAL_OBLIGATION = "17(3)(b)", _("legal obligation")
    AUTHORITY = "authority", _("ordered by an authority")
    INVESTIGATION = "investigation", _("internal investigation")


class RestrictionReason(models.TextChoices):
    """Why the person may demand that their data are kept and not used: the letters of Art. 18(1)."""

    CONTESTED = "18(1)(a)", _("accuracy contested")
    UNLAWFUL = "18(1)(b)", _("unlawful, and the person opposes erasure")
    CLAIMS = "18(1)(c)", _("the person needs them for legal claims")
    OBJECTION = "18(1)(d)", _("an objection is being looked at")


class Decision(models.TextChoices):
    """What a second person decided about a plan."""

    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")
    REVOKED = "revoked", _("approval taken back")


class NoticeKind(models.TextChoices):
    """What a recipient is told of (Art. 19)."""

    ERASURE = "erasure", _("erasure")
    RECTIFICATION = "rectification", _("correction of data")
    RESTRICTION = "restriction", _("restriction of processing")
    LIFTING = "lifting", _("end of a restriction")


class NoticeState(models.TextChoices):
    """Where a notice to a recipient stands."""

    WAITING = "waiting", _("waiting")
    """It is sent by the next run of gdpr_process, or tried again."""
    INFORMED = "informed", _("informed")
    """The recipient took it, or a person told them; who it was about isn't kept any more."""
    BY_HAND = "by_hand", _("a person has to act")
    """It failed too often, or nobody knows any more by which key the recipient knows the person."""
    LATER = "later", _("later")
    """Once a restriction is lifted. Who it is about is sealed: the restriction itself has but a tag."""
    NEEDLESS = "needless", _("nothing to tell")
    """The recipient got nothing of the person, or the person was erased meanwhile."""


class NoticeTrouble(models.TextChoices):
    """Why a recipient isn't told yet."""

    NO_KEY = "no_key", _("the person has no key that the recipient knows")
    KEY_LOST = "key_lost", _("the key of the notice is lost")
    UNDECLARED = "undeclared", _("the data map declares this recipient no more")
    NO_SECRET = "no_secret", _("the setting with its secret is missing")
    UNREACHABLE = "unreachable", _("not reached")
    UNTRUSTED = "untrusted", _("its certificate isn't trusted")
    TIMEOUT = "timeout", _("no answer in time")
    REFUSED = "refused", _("it answered with an error")
    MAIL = "mail", _("the mail wasn't taken")
    STORE = "store", _("a store can't be asked whether it got data")


class ConsentType(models.TextChoices):
    """What happened to a consent."""

    GIVEN = "given", _("given")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    RENEWED = "renewed", _("renewed")
    EXPIRED = "expired", _("expired")


class ConsentChannel(models.TextChoices):
    """Where a consent was expressed."""

    WEB = "web", _("website")
    APP = "app", _("app")
    COUNTER = "counter", _("counter")
    PHONE = "phone", _("telephone")
    EMAIL = "email", _("e-mail")
    POST = "post", _("letter")
    OTHER = "other", _("elsewhere")
    CLOCK = "clock", _("by itself")
    """Its time was over; nobody expressed anything."""


class GivenBy(models.TextChoices):
    """Who spoke for the person."""

    SELF = "self", _("the person")
    GUARDIAN = "guardian", _("holder of parental responsibility")
    PROXY = "proxy", _("somebody with a power of attorney")


class ConsentMethod(models.TextChoices):
    """By which act a consent was expressed."""

    CHECKBOX = "checkbox", _("checkbox")
    API = "api", _("API")
    PAPER = "paper", _("paper")
    SPOKEN = "spoken", _("spoken")
    SYSTEM = "system", _("system")
