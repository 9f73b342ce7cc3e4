"""
Tables of models that are divided into partitions of PostgreSQL, and kept up, beside those who write.

`declaration` is what apps write in their `partitions.py`; `layout` makes of it, purely, which partitions
there have to be; `table` reads what stands, `refusals` judges it; `making`, `mirror`, `copying`, `comparing`
and `swapping` are the steps of a conversion, `conversion` their order; `duties` and `upkeep` are about time.
What may enter: what is about partitions of a table of a model. What may not: commands, stores, the journal.
"""

from migrator.partitions.declaration import ByHash, ByList, ByTime, Every, Partitioned

__all__ = ["ByHash", "ByList", "ByTime", "Every", "Partitioned"]
