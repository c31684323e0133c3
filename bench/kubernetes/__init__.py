"""Many servers on a real API server whose nodes are simulated."""
