"""A package that maps endpoints to views apart."""
