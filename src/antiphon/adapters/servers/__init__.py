"""An embedded server: an application served by Granian in this process, on a socket that is already open."""
