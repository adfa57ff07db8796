"""Templates: not offered."""

from antiphon.dialects.microdot.absent import not_offered

raise not_offered("jinja", "Antiphon's own templates are to carry them, and are not there yet; use jinja2 itself")
