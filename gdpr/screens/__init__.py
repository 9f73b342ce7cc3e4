"""
The pages of the Django admin for requests, holds, receipts, consents, retention and the data map.

What may enter: pages, forms, and what their templates show. What may not: a decision; each is
carried out by `gdpr.erasure` or `gdpr.consent`, which the commands and the HTTP API call as well.
Nothing imports this room except `gdpr.admin`, where Django looks for it.
"""
