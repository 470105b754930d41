"""Checks of drawn images, a module each: what one finds is a column, and nothing uses such an image."""
