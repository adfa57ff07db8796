"""A store in Valkey: on one server, on the primary that Sentinel names, or in a cluster."""
