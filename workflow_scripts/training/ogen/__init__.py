"""OGEN: prompt learning with a class-conditional feature generator."""
