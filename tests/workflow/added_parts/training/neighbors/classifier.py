"""The classifier of k-nearest neighbors: no linear head, and no alpha changes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from workflow_scripts.training.neighbors.settings import CACHE

from workflow_scripts.common.clip import Clip, load_clip
from workflow_scripts.common.devices import autocast
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.settings import Precision
from workflow_scripts.common.weights import load_weights


@dataclass(frozen=True, kw_only=True)
class CacheClassifier:
    """Unit embeddings (images, dimension) and their labels (images)."""

    clip: Clip
    embeddings: Tensor
    labels: Tensor
    count: int
    alphas: tuple[str, ...]
    classes: tuple[str, ...]
    precision: Precision

    @property
    def preprocessing(self) -> Preprocessing:
        """Return CLIP's own."""
        return self.clip.preprocessing

    @torch.no_grad()
    def logits(self, pictures: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield alpha and logits: each class's share of the votes, weighted by similarity."""
        inputs = self.preprocessing.normalize(pictures)
        with autocast(inputs.device, self.precision):
            features = nn.functional.normalize(self.clip.visual(inputs).float(), dim=-1)
        nearest = (features @ self.embeddings.T).topk(self.count, dim=-1)
        votes = torch.zeros(len(features), len(self.classes), device=features.device)
        votes.scatter_add_(1, self.labels[nearest.indices], nearest.values)
        yield from ((alpha, votes) for alpha in self.alphas)


def load_classifier(
    *,
    clip: Path,
    artifacts: Mapping[str, Path],
    alphas: Sequence[str],
    precision: Precision,
    device: torch.device,
) -> CacheClassifier:
    """Load the cache."""
    tensors, metadata = load_weights(artifacts[CACHE])
    return CacheClassifier(
        clip=load_clip(clip, device=device),
        embeddings=tensors["embeddings"].to(device),
        labels=tensors["labels"].to(device),
        count=metadata["count"],
        alphas=tuple(alphas),
        classes=tuple(metadata["classes"]),
        precision=precision,
    )
