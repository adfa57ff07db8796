"""Not offered: the standard library has ``wsgiref.validate``."""

raise ImportError("antiphon.dialects.werkzeug does not offer Werkzeug's lint middleware: take wsgiref.validate")
