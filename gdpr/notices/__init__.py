"""
Telling recipients of an erasure (Art. 19), at least once, by post to a webhook or by mail.

What waits in the outbox is taken up by `gdpr_process`. A kill between sending and recording sends again,
under the same idempotency key. From here only the rooms of erasures and of the data map are entered.
"""
