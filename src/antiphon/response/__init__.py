"""The response: its message, headers, files and events, and the results of conditions and ranges."""
