"""The response: message, headers, files, events, and what conditions and ranges make of it."""
