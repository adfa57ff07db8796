"""The contract between handlers and servers, the two drivers, errors as responses, and the current request."""
