"""Metrics, a module each: what it is called, which direction is good, and how it is computed from outcomes."""
