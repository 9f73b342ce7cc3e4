"""
The one machine of revisions: files on disk that change a store, operation by operation.

It reads them (`loader`), takes them through apply and revert from where the ledger says (`runner`,
`progress`, `entry`), and judges what stands (`expectation`). A store brings its ledger (`ledger`), its
operations (`operation`), and derives from `store.RevisionStore`. Nothing in here knows a server.
"""

from __future__ import annotations

from accord.revisions.loader import Revision as Revision
from accord.revisions.loader import RevisionFile as RevisionFile
from accord.revisions.loader import load_revisions as load_revisions
from accord.revisions.loader import parse_cross_dependencies as parse_cross_dependencies
from accord.revisions.loader import to_step as to_step
from accord.revisions.loader import why_absent as why_absent
