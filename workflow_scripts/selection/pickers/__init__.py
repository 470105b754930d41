"""Pickers, one module each; `registry` lists them."""
