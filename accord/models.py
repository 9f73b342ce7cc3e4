"""Models of the kernel. The lease and the ledgers are control tables, made before any migration runs."""
