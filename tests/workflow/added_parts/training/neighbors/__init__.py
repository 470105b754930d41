"""k-nearest neighbors: the training images' embeddings are kept, and a picture's nearest ones vote."""
