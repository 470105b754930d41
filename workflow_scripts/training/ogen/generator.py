"""OGEN's class-conditional feature generator, and the neighbors whose features it attends to."""

import torch
from torch import Tensor, nn

from workflow_scripts.common.errors import InputError


class FeatureGenerator(nn.Module):
    """g(Q, K, V) = normalize(FFN(Q) + MHA(Q, K, V)): a class's image features from text and base classes' features.

    FFN: dimension -> dimension -> dimension with one ReLU; MHA with learned projections. The release fixes dimension
    512; here it is the model's.
    """

    def __init__(self, dimension: int, *, heads: int, dropout: float) -> None:
        """Take the length of the embedding, which the number of heads must divide.

        Raises:
            InputError: it does not.
        """
        super().__init__()
        if dimension % heads:
            raise InputError(f"attention_heads: {heads} do not divide the embedding of length {dimension}")
        self.attention = nn.MultiheadAttention(dimension, heads, dropout=dropout, batch_first=True)
        self.feed_forward = nn.Sequential(nn.Linear(dimension, dimension), nn.ReLU(), nn.Linear(dimension, dimension))

    def attended(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the attention's part (batch, queries, dimension). With one key it does not depend on query or key."""
        attention: Tensor = self.attention(query, key, value, need_weights=False)[0]
        return attention

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Map queries (batch, queries, d), keys and values (batch, keys, d) to unit features (batch * queries, d)."""
        features = self.feed_forward(query) + self.attended(query, key, value)
        return nn.functional.normalize(features, dim=-1).flatten(0, 1)


def nearest_base(similarity: Tensor, *, count: int, itself: bool) -> Tensor:
    """Return the columns of the largest entries of each row, largest first: (rows, count).

    Args:
        similarity: (rows, base classes).
        count: k.
        itself: whether row c is column c's own class, which is then no neighbor of itself.

    Raises:
        InputError: there are not that many neighbors.
    """
    others = similarity.shape[1] - itself
    if count > others:
        raise InputError(f"neighbors: {count} asked for, but a class has only {others} base others; lower it")
    if itself:
        similarity = similarity.masked_fill(
            torch.eye(len(similarity), dtype=torch.bool, device=similarity.device), -torch.inf
        )
    return similarity.topk(count, dim=1).indices
