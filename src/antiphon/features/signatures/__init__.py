"""Signed messages: who sent a request, unchanged, once (RFC 9421, RFC 9530), and webhooks in both directions."""
