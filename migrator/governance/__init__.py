"""
Who may run what: policies, approvals, attestations.

What may enter: rules about plans, and the decisions that people took. What may not: carrying a plan
out, and screens. It imports the models of the journal and the kernel.
"""
