"""Forms of typed classes: read, checked, and shown again with their errors."""
