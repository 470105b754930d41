"""Averaging of weights, and export of averaged models."""
