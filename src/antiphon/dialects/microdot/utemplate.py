"""Templates of MicroPython: not offered."""

from antiphon.dialects.microdot.absent import not_offered

raise not_offered("utemplate", "utemplate is for MicroPython; use jinja2 itself")
