"""One small application a framework, all with the same answers: `wsgi`, `asgi`, or both."""
