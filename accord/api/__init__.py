"""What the HTTP APIs of all apps share: problems, permissions, throttles, pages; and health and sign-in."""
