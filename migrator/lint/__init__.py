"""
Lint: what is known about a migration to be dangerous or careless, by looking at its file alone.

Readers (`reading`) turn each kind of file into one :class:`~migrator.lint.subject.Subject`; rules (`rules`)
look at subjects and know nothing of files; waivers (`waivers`) say where a person knows better. No server is
asked. What could not be looked at is a finding, too. The words for what a statement does, and for its lock,
are those of :mod:`migrator.foretelling`, which asks servers.
"""
