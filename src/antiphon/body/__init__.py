"""Bodies as they arrive: limits, and parsers that are fed bytes and do no I/O."""
