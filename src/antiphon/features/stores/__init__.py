"""Stores: data under keys, with an end, on which sessions, limits of rates and idempotent writes stand."""
