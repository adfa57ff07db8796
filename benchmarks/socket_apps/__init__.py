"""One WebSocket that sends back what it gets, in each framework."""
