"""The example of a spawner: servers in a toy cloud."""
