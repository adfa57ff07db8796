"""Changes of an API: two OpenAPI documents compared, and which differences break clients."""
