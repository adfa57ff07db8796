"""The command `pserve` of Pyramid, for programs that call it."""
