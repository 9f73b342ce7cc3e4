"""The HTTP API of erasure requests, consents and legal holds: the services, and nothing beside them."""
