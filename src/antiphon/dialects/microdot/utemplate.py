"""MicroPython templates, which are not supported."""

from antiphon.dialects.microdot.errors import not_offered

raise not_offered("utemplate", "the package utemplate is for MicroPython; use microdot.jinja for Jinja2 templates")
