"""One application for each framework that does everyday work, as the framework's documentation recommends."""
