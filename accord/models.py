"""
Models of the kernel: the audit trail, the tombstones of people who were erased, and jobs in batches.

The lease and the ledgers are control tables, made before any migration runs. Nothing here
refers to a user or another app: these tables are there before all others, and what they hold
must outlive the people that it is about without naming them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accord.audit.events import (
    BIGGEST,
    ActorKind,
    Counter,
    EventKind,
    EventOutcome,
    FormerEventKind,
    ObjectKind,
)
from accord.batch_models import BatchJob, BatchSlice
from accord.conditions import OnlyCounters
from accord.moments import Moment
from accord.patterns import (
    DIGEST,
    DIGEST_OR_NONE,
    KEY_ID,
    KIND,
    REFERENCE,
    REFERENCE_OR_NONE,
    SIGNATURE,
    among,
    matches,
)

__all__ = [
    "AccessToken",
    "ActorReference",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditSeal",
    "BatchJob",
    "BatchSlice",
    "Tombstone",
    "TrailMark",
]


class AuditEvent(models.Model):
    """
    One fact about who did what: words from lists, numbers, and random references.

    Rows are only ever added, by :func:`accord.audit.trail.record`. PostgreSQL refuses to change or
    remove one, and refuses whatever could carry personal data.
    """

    seq = models.BigIntegerField(_("number"), primary_key=True)
    at = Moment(_("at"))
    event = models.CharField(
        _("event"), max_length=40, choices=[*EventKind.choices, *FormerEventKind.choices]
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=EventOutcome.choices)
    actor_kind = models.CharField(_("who"), max_length=10, choices=ActorKind.choices)
    actor_ref = models.CharField(_("reference of who"), max_length=32, blank=True)
    object_kind = models.CharField(_("what"), max_length=20, choices=ObjectKind.choices)
    object_ref = models.CharField(_("reference of what"), max_length=32, blank=True)
    request_ref = models.CharField(_("request"), max_length=32, blank=True)
    counters = models.JSONField(_("numbers"), default=dict)
    plan_digest = models.CharField(_("plan digest"), max_length=64, blank=True)
    prev_hash = models.CharField(_("hash of the event before"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        """Newest first; on PostgreSQL only."""

        ordering = ("-seq",)
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        permissions = (
            ("verify_audit", _("Can verify the audit trail")),
            ("view_health", _("Can see the health of the project")),
            ("export_personal", _("Can export personal columns in bulk")),
        )
        indexes = tuple(
            models.Index(fields=(field,), name=f"accord_audit_{field}")
            for field in ("at", "actor_ref", "object_ref", "request_ref", "plan_digest")
        )
        constraints = (
            models.CheckConstraint(condition=Q(seq__gte=1), name="accord_auditevent_seq"),
            *among(
                "auditevent",
                event=[*EventKind.values, *FormerEventKind.values],
                outcome=EventOutcome.values,
                actor_kind=ActorKind.values,
                object_kind=ObjectKind.values,
            ),
            *matches(
                "auditevent",
                actor_ref=REFERENCE_OR_NONE,
                object_ref=REFERENCE_OR_NONE,
                request_ref=REFERENCE_OR_NONE,
                plan_digest=DIGEST_OR_NONE,
                prev_hash=DIGEST,
                hash=DIGEST,
            ),
            models.CheckConstraint(
                condition=OnlyCounters(F("counters"), ",".join(Counter.values), BIGGEST),
                name="accord_auditevent_counters",
            ),
        )

    def __str__(self) -> str:
        return f"{self.seq}: {self.get_event_display()}"


class ActorReference(models.Model):
    """
    Which person or thing a random reference stands for.

    The only link between the audit trail and people. Deleting the row makes the trail
    anonymous for that person, and leaves it valid.
    """

    ref = models.CharField(_("reference"), max_length=32, primary_key=True)
    kind = models.CharField(_("kind"), max_length=100)
    key = models.CharField(_("key"), max_length=200)
    made_at = Moment(_("made"), auto_now_add=True)

    class Meta:
        """One reference a person."""

        verbose_name = _("reference")
        verbose_name_plural = _("references")
        required_db_vendor = "postgresql"
        default_permissions = ("view", "delete")
        constraints = (
            models.UniqueConstraint(fields=("kind", "key"), name="accord_actorreference_once"),
            *matches("actorreference", ref=REFERENCE, kind=KIND),
        )

    def __str__(self) -> str:
        return self.ref


class AccessToken(models.Model):
    """
    What is kept of a token by which a program acts as an account: enough to know it again, and no more.

    The account is named by its key: this table is there before that of the accounts, which may be in
    another database. See :mod:`accord.tokens`.
    """

    reference = models.CharField(_("reference"), max_length=32, primary_key=True)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    account = models.CharField(_("account"), max_length=64, db_index=True)
    fingerprint = models.CharField(_("fingerprint of the password"), max_length=64, editable=False)
    label = models.CharField(_("what it is for"), max_length=100, blank=True)
    service = models.BooleanField(_("of a program alone"), default=False)
    made_at = Moment(_("made"))
    expires_at = Moment(_("expires"))

    class Meta:
        """Newest first; the command makes one, or signing in, and no form changes it."""

        ordering = ("-made_at", "reference")
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        required_db_vendor = "postgresql"
        default_permissions = ("add", "view", "delete")
        constraints = (
            *matches("accesstoken", reference=REFERENCE, digest=DIGEST, fingerprint=DIGEST),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")), name="accord_accesstoken_expires_later"
            ),
        )

    def __str__(self) -> str:
        return self.short

    @property
    def short(self) -> str:
        """The beginning of the reference; it stands in the token, too."""
        return self.reference[:8]


class AuditCheckpoint(models.Model):
    """A signed head of the audit trail: up to this event, everything was as its hash says."""

    size = models.BigIntegerField(_("events"), primary_key=True)
    hash = models.CharField(_("hash of the last one"), max_length=64)
    signature = models.CharField(_("signature"), max_length=120)
    made_at = Moment(_("made"), auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-size",)
        verbose_name = _("head of the audit trail")
        verbose_name_plural = _("heads of the audit trail")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        constraints = (
            models.CheckConstraint(condition=Q(size__gte=1), name="accord_auditcheckpoint_size"),
            *matches("auditcheckpoint", hash=DIGEST, signature=SIGNATURE),
        )

    def __str__(self) -> str:
        return str(self.size)


class AuditSeal(models.Model):
    """
    Events of the trail that were written together, sealed with a key that the database doesn't hold.

    See :mod:`accord.audit.sealed`.
    """

    last = models.BigIntegerField(_("last event"), primary_key=True)
    first = models.BigIntegerField(_("first event"))
    key_id = models.CharField(_("key"), max_length=16)
    mac = models.CharField(_("seal"), max_length=64)

    class Meta:
        """Newest first."""

        ordering = ("-last",)
        verbose_name = _("seal of the audit trail")
        verbose_name_plural = _("seals of the audit trail")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        constraints = (
            models.CheckConstraint(
                condition=Q(first__gte=1, first__lte=F("last")), name="accord_auditseal_range"
            ),
            *matches("auditseal", key_id=KEY_ID, mac=DIGEST),
        )

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class TrailMark(models.Model):
    """
    What tells this database's trail from any other's, and how far its heads were written outside.

    See :mod:`accord.audit.marks`. Rows are only ever added; `reach` alone changes, and only rises.
    """

    number = models.PositiveSmallIntegerField(_("number"), primary_key=True)
    mark = models.CharField(_("mark"), max_length=32, unique=True)
    since = models.BigIntegerField(_("first sealed event"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    key_id = models.CharField(_("key"), max_length=16)
    seal = models.CharField(_("seal"), max_length=64)
    reach = models.BigIntegerField(_("newest head outside"), default=0)
    reach_of = models.CharField(_("what that head is bound to"), max_length=32, blank=True)
    made_at = Moment(_("made"), auto_now_add=True)

    class Meta:
        """In order."""

        ordering = ("number",)
        verbose_name = _("mark of the audit trail")
        verbose_name_plural = _("marks of the audit trail")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        constraints = (
            models.CheckConstraint(
                condition=Q(number__gte=1, since__gte=1, reach__gte=0), name="accord_trailmark_numbers"
            ),
            *matches("trailmark", mark=REFERENCE, key_id=KEY_ID, seal=DIGEST, reach_of=REFERENCE_OR_NONE),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.mark[:8]}"


class Tombstone(models.Model):
    """
    A person who is being erased or was: kept as a keyed hash, so that nothing brings them back.

    See :mod:`accord.erased.tombstones`.
    """

    kind = models.CharField(_("kind"), max_length=100)
    tag = models.CharField(_("tag"), max_length=64)
    key_id = models.CharField(_("key"), max_length=16)
    fenced_at = Moment(_("fenced"))
    erased_at = Moment(_("erased"), null=True)

    class Meta:
        """One a person."""

        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("kind", "tag"), name="accord_tombstone_once"),
            *matches("tombstone", kind=KIND, tag=DIGEST, key_id=KEY_ID),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(erased_at__gte=F("fenced_at")),
                name="accord_tombstone_fence_first",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.tag[:8]}"
