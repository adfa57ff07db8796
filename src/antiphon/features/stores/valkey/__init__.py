"""A store in Valkey: on one server, on the primary that Sentinel reports, or in a cluster."""
