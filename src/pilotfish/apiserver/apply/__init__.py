"""Server-side apply: who owns which fields, and what an applied configuration changes."""
