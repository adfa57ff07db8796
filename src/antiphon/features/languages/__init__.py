"""Languages: which one a request is answered in, its texts, and how it writes dates and numbers."""
