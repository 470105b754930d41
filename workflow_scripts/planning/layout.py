"""Where every product lies: the path patterns that the rules and the list of products share."""

from dataclasses import dataclass

MODEL = "results/models/{model}"
PROMPTS = "results/{dataset}/prompts"
EMBEDDINGS = "results/{dataset}/embeddings/{source}/{domain}/{clip}.{view}.parquet"
IMAGES = "results/{dataset}/images/{source}/{domain}"
RUN = "results/{dataset}/runs/{source}/{clip}/{method}/seed{seed}"
FIGURES = "results/report/figures/{dataset}/{source}/{clip}"
REPORT = "results/report"
LOGS = "results/logs"
BENCHMARKS = "results/benchmarks"

MOST_SHARDS = 100_000
"""Shards that have a name of five digits."""

FIGURE_NAMES = ("images", "alphas", "training")


@dataclass(frozen=True, order=True)
class Run:
    """One method on one data set, source of images, CLIP and seed."""

    dataset: str
    source: str
    clip: str
    method: str
    seed: int

    @property
    def folder(self) -> str:
        """Return the folder of the run's products."""
        return RUN.format(**vars(self))


@dataclass(frozen=True, order=True)
class Comparison:
    """All methods and seeds on one data set, source of images and CLIP: what one set of figures shows."""

    dataset: str
    source: str
    clip: str


def image_folder(dataset: str, source: str, domain: str) -> str:
    """Return the folder of one domain's images."""
    return IMAGES.format(dataset=dataset, source=source, domain=domain)


def model_manifest(model: str) -> str:
    """Return the manifest of a model."""
    return f"{MODEL.format(model=model)}/manifest.json"


def shard_name(number: int) -> str:
    """Return the name of a shard, without its suffix; names sort like numbers up to a hundred thousand shards."""
    return f"{number:05d}"
