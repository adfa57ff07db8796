"""Stores: data under keys that expire, used for sessions, rate limits and idempotent writes."""
