"""Kinds of data sets, a module each: the settings, and how the pictures of a source and a domain are read."""
