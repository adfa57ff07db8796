"""The response: message, headers, files, events, and the results of conditions and ranges."""
