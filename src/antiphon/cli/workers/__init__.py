"""Workers of `antiphon run`: processes that serve an application, and what supervises them."""
