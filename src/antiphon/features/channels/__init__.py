"""Channels: messages from any process to all that listen, kept for those that come back."""
