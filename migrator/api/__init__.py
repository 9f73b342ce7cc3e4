"""The HTTP API of migrations: runs and the plan to read, approvals to decide. Nothing is run over HTTP."""
