"""Paths to anything: patterns, converters and the router."""
