"""Personal data across every store: requests, erasure, export, consent, retention."""
