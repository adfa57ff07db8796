"""Signed messages (RFC 9421, RFC 9530), which prove who sent a request, unchanged and only once; and webhooks."""
