"""A store in Valkey: one server, what Sentinel names as the primary, or a cluster."""
