"""Example adapters on toy backends, which ``greyhub conform new`` copies into a new package."""
