"""
Self-service: what people see and ask for on the project's own site, signed in to their own account.

What may enter: pages for the person whose data it is, about nobody else. What may not: anything for staff.
It is off until `ACCORD["SELF_SERVICE_DAYS"]` says for how long an erasure may be taken back.
"""
