"""
Rights beside access and erasure: requests for correction, and objections.

What may enter: that such a request came in, what became of it, and when. What may not: how the project
corrects or stops something; that is the project's own act.
"""
