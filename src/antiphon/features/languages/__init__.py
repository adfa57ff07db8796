"""Languages: the language of a response, its texts, and its formats of dates and numbers."""
