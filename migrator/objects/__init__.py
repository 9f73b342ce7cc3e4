"""
Objects of a database that are replaced as a whole: functions, procedures, views, triggers.

`database_objects/NAME.sql` beside an app's models holds one of them. Each text of a file is a step of
:class:`migrator.objects.store.ObjectStore`; the next text is the next step, and the ledger keeps every text.
"""
