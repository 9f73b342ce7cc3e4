"""
How long we stand in the queue for a lock of PostgreSQL, who is in our way, and when we come back.

`patience` decides, purely; `blockers` asks who holds what we wait for, `watching` does so from a connection
beside ours, `trying` tries, steps out of the queue and tries again.
What may enter: what every store on PostgreSQL needs for that. What may not: a driver, or Django's migrations.
"""
