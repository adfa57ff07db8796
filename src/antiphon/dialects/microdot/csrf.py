"""Tokens against cross-site request forgery: not offered."""

from antiphon.dialects.microdot.absent import not_offered

raise not_offered("csrf", "Antiphon's own are to carry them, and are not there yet")
