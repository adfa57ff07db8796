"""In-process comparisons of Antiphon with other frameworks on the same work."""
