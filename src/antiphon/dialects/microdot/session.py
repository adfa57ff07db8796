"""Signed sessions: not offered."""

from antiphon.dialects.microdot.absent import not_offered

raise not_offered("session", "Antiphon's own sessions are to carry them, and are not there yet")
