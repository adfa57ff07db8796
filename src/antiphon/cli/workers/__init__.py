"""Workers of `antiphon run`: processes that serve an application, and their supervision."""
