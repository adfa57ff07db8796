"""Stores: data under keys that expire, for sessions, rate limits and idempotent writes."""
