"""The same program for a library and for the dialect that speaks it."""
