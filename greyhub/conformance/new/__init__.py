"""What ``greyhub conform new`` writes: live code, which greyhub tests like its own."""
