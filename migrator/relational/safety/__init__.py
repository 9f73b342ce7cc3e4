"""
Django's migrations without Django's locks: an operation that would lock a live table for long, in parts.

Each module rewrites one kind of operation (:mod:`.add_index`, :mod:`.checks` ...) into parts that
:class:`migrator.relational.substeps.Resumable` carries like any other operations; what stands in the
end is what Django's own operation leaves, names included (:mod:`.rewriter` says which are known).
"""
