"""
The drill: on servers of its own, people are planted, backed up, erased, restored, noticed and erased again.

What may enter: where a project's stores are moved to, backups of these servers, made-up people, and the
order of a drill. What may not: the project's own stores. The process that leads a drill opens none of them;
whatever opens a store does so in a process with :mod:`gdpr.drill.settings`, where none has an address.
"""
