"""Not offered: it is a server's task."""

raise ImportError("antiphon.dialects.werkzeug does not offer Werkzeug's HTTP proxy: have a web server pass requests on")
