"""An audit of an application's code: who may do what to whom, and which personal data is processed."""
