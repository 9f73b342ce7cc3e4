"""
What Elasticsearch and OpenSearch do differently, behind capabilities.

What may enter: a difference between engines. What may not: an operation; it asks a capability,
never a vendor's name.
"""
