"""The random key of each open request, where no write-ahead log and no base backup goes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from gdpr.fields import CoordinatorManager


class RequestKey(models.Model):
    """
    What opens the sealed keys of one open request, encrypted once more.

    The table is UNLOGGED (migration 0007): nothing of it is written ahead or taken by a base backup,
    and a crash of PostgreSQL empties it. No row is ever changed, and no foreign key ties it to evidence.
    """

    reference = models.CharField(_("reference"), max_length=32, primary_key=True)
    wrapped = models.BinaryField(_("encrypted key"))

    objects = CoordinatorManager["RequestKey"]()

    class Meta:
        """In no order that matters; no account may do anything with them."""

        default_permissions = ()
        verbose_name = _("key of a request")
        verbose_name_plural = _("keys of requests")
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return str(self.reference)
