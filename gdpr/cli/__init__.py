"""
What the commands of personal data share: options, what they do with the services, and how they answer.

What may enter: words, formats and questions of a terminal. What may not: a rule about a request;
`gdpr.erasure` has it, and the admin and the HTTP API obey the same one. Commands import this room.
"""
