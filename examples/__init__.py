"""An adapter of each slot on a toy backend, with its suite; ``greyhub conform new`` copies one."""
