"""An embedded server: an application served by Granian in this process, on an open socket."""
