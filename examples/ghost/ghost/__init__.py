"""The package that the sweeps in this directory run."""
