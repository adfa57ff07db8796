"""Applications that take forms with files, each written as its framework's documentation recommends."""
