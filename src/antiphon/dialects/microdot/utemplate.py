"""Templates of MicroPython, which are not supported."""

from antiphon.dialects.microdot.errors import not_offered

raise not_offered("utemplate", "the package utemplate is for MicroPython; microdot.jinja has Jinja2 templates")
