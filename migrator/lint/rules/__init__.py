"""The rules, by subject. Each is pure: it gets a subject and yields what it found."""
