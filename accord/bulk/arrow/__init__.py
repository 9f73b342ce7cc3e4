"""Parquet and zstd, by pyarrow of the extra `bulk`; it takes half a second to load, so only they load it."""

EXTRA = ("bulk", ("pyarrow",))
