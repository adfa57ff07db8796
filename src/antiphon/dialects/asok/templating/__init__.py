"""Asok's templates, rendered by Jinja2."""
