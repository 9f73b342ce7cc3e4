"""Who may run what, where: conventions, attestations, and approvals by a second person."""
