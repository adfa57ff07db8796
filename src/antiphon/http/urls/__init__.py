"""URLs: their parts, paths, percent-encoding and queries."""
