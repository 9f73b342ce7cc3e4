"""
Secrets: keys derived for one purpose each, signatures, and keeping secrets out of messages.

What may enter: code that handles key material, or that removes it from a text. What may not: what
is signed, and why. It imports the settings and errors of the kernel, and nothing else of the suite.
"""
