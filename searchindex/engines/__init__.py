"""The search engines: which one answers, and what it can do."""
