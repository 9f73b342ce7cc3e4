"""
What commands share, and what those of the kernel do: flags, options and answers.

What may enter: words and forms of a terminal. What may not: a rule; the rooms below have those, and the admin
and the HTTP API obey the same ones. Commands import this room, and so do the `cli` rooms of other packages.
"""
