"""The mean of all seeds' weights of another method."""
