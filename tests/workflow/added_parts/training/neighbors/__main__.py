"""Keep the embeddings of the training images, for k-nearest neighbors."""

from pathlib import Path
from typing import Any

import torch
from workflow_scripts.training.neighbors.settings import CACHE, Neighbors

from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.weights import save_weights
from workflow_scripts.training.embedding_table import embeddings_of, read_embeddings
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, training_main
from workflow_scripts.training.method_settings import TrainingJob


def build(job: TrainingJob[Neighbors], inputs: TrainingInputs) -> Training:
    """Look up the embedding of every training image."""
    clip = load_clip(inputs.clip, device=inputs.device)
    seen = load_seen_images(inputs.images, job, preprocessing=clip.preprocessing, threads=inputs.threads)
    embeddings = embeddings_of(seen.training, [read_embeddings(path) for path in inputs.embeddings])

    def save(folder: Path, identity: dict[str, Any]) -> None:
        tensors = {"embeddings": embeddings, "labels": torch.from_numpy(seen.training.labels)}
        described = {"classes": list(seen.training.classes), "count": job.method.count}
        save_weights(folder / CACHE, tensors, metadata={**identity, **described})

    return Training(save=save, seen=seen)


if __name__ == "__main__":
    training_main(Neighbors, build, __doc__)
