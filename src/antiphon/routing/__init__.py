"""Routing paths to values of any type: patterns, converters, the router and prefixes."""
