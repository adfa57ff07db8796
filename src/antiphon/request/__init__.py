"""The request: its head, body and places, and the trusted proxies that tell of it."""
