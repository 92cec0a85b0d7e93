"""A module for each section."""
