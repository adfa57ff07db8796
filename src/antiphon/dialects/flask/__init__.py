"""Flask's application, over the Werkzeug dialect."""
