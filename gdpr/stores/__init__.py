"""
How each kind of store finds, counts, erases and reads again one person's data, or that of several people.

What may enter: adapters, with the drivers that they need. What may not: requests, approvals,
receipts or any other state of an erasure; an adapter is told what to do with which keys, and
answers with numbers. It imports the data map and the kernel.
"""
