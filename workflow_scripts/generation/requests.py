"""Which images a shard holds: class, index, prompt and seed of each."""

from dataclasses import dataclass
from typing import Any

from workflow_scripts.common.seeds import image_seed
from workflow_scripts.generation.settings import GeneratedShardJob


@dataclass(frozen=True)
class Request:
    """One image that is to be generated."""

    label: int
    class_name: str
    index: int
    prompt: str
    seed: int


def requests(prompts: list[dict[str, Any]], settings: GeneratedShardJob) -> list[Request]:
    """Return the images of a shard: for each index of its block every class; image i uses template i mod n.

    Args:
        prompts: rows of a generation prompt table, of one domain.
        settings: the shard's settings.
    """
    by_label: dict[int, list[dict[str, Any]]] = {}
    for row in sorted(prompts, key=lambda row: (row["label"], row["template"])):
        by_label.setdefault(row["label"], []).append(row)
    images = []
    for index in range(settings.first_index, settings.first_index + settings.indices):
        for label, rows in by_label.items():
            name = rows[0]["class_name"]
            seed = image_seed(
                dataset=settings.dataset,
                class_name=name,
                domain=settings.domain,
                index=index,
                base_seed=settings.seed,
            )
            images.append(Request(label, name, index, rows[index % len(rows)]["prompt"], seed))
    return images
