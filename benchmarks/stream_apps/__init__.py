"""One application for each framework, which streams the same lines from a `def` and an `async def` generator."""
