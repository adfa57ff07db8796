"""Not offered: Python's own profilers take a whole server."""

raise ImportError("antiphon.dialects.werkzeug does not offer Werkzeug's profiler: run the server under cProfile")
