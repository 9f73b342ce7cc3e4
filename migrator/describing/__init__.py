"""
What stands in a PostgreSQL database, as a text: for every store that keeps its things there.

`questions` is what the catalog is asked, `sql` makes the text. What may enter: what is the same in two
databases of one schema. What may not: oids, sizes, values of sequences, owners, rights, data.
"""
