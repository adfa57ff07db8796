"""Forms of typed classes: read, checked, and shown again with what is wrong."""
