"""Templates of MicroPython: not offered."""

from antiphon.dialects.microdot.errors import not_offered

raise not_offered("utemplate", "the package utemplate is for MicroPython; microdot.jinja has templates of Jinja2")
