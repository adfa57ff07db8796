"""Languages: the language of a response, its translations, and its formats for dates and numbers."""

__reads__ = "named"
