"""Signed messages, which prove who sent a request, unchanged and once (RFC 9421, RFC 9530), and webhooks."""
