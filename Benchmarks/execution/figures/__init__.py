"""A module for each section: its cells, its table, its aims."""
