"""From finished runs to scores."""
