"""What executing trials with Martlet costs, beside what else runs many commands: `make bench-execution`."""
