"""Events to many clients, each with a queue of its own, in each framework."""
