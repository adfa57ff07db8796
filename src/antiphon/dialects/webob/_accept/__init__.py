"""The four headers of content negotiation: ``webob.acceptparse`` has their public names."""
