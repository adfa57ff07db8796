"""Languages: the language of a response, its translations, and its formats of dates and numbers."""
