"""
Runtime checks: what `health_check`, `/readyz` and the API report.

`runner` discovers and runs checks side by side; `formats` writes reports for readers, programs and
Prometheus. What may enter: how checks are declared, run and shown. What may not: a check of one
package; each stands in the `health_checks.py` of its app.
"""
