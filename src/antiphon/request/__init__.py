"""The request: head, body, places, and the proxies that are trusted to speak of it."""
