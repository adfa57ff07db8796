"""Cookies of requests, and those that carry values: ``webob.cookies`` has their public names."""
