"""Sweeps whose trials do whatever programs do wrong, under servers that are killed."""
