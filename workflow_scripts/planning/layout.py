"""Where every product lies: the path patterns that the rules and the list of products share."""

from dataclasses import dataclass

from workflow_scripts.common.constants import NO_SOURCE

SHARED = "results/shared"
"""What several configurations use where their settings are equal: a digest of these settings is part of each path."""
OWN = "results/{configuration}"
"""What belongs to one configuration alone: the folder bears its name."""

MODEL = f"{SHARED}/models/{{model}}-{{digest}}"
MODEL_MANIFEST = f"{MODEL}/manifest.json"
AUTOENCODER = f"{SHARED}/autoencoders/{{model}}-{{digest}}"
"""An autoencoder that is pretrained here lies beside its pipeline: a change of the denoiser does not train it again."""

CLASSES = f"{SHARED}/classes/{{dataset}}-{{digest}}.json"
GENERATION_PROMPTS = f"{SHARED}/prompts/{{dataset}}/{{domain}}-{{digest}}.parquet"

PREPARED = f"{SHARED}/prepared/{{dataset}}-{{digest}}.parquet"
"""Pictures of a data set that one job prepares; its shards are cut from it."""
IMAGES = f"{SHARED}/images/{{dataset}}/{{source}}/{{domain}}-{{digest}}"
SHARD = f"{IMAGES}/shards/{{shard}}.parquet"
IMAGE_MANIFEST = f"{IMAGES}/manifest-{{extent}}.json"
"""Its digest names what an image depends on, its extent the list of shards: more images share the first shards."""
INSPECTION = f"{SHARED}/inspections/{{dataset}}/{{source}}/{{domain}}-{{digest}}.parquet"
EMBEDDINGS = f"{SHARED}/embeddings/{{dataset}}/{{source}}/{{domain}}/{{clip}}.{{preprocessing}}-{{digest}}.parquet"

HEAD_PROMPTS = f"{OWN}/prompts/{{dataset}}/{{head}}.parquet"
RUN = f"{OWN}/runs/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}"
ZERO_SHOT_RUN = f"{OWN}/runs/{{dataset}}/{NO_SOURCE}/{{clip}}/{{method}}/seed0"
EXPORT = f"{RUN}/exports/{{alpha}}"
"""Folder of an export; it is named by the alpha, or by the picker that chose it."""

SCORES, METRIC_TABLE, SELECTION = "scores.parquet", "metrics.csv", "selection.json"
"""Files of a run that was scored, below its folder; scores lie below a folder of their domain."""

REPORT = f"{OWN}/report"
FIGURE_FOLDER = f"{REPORT}/figures/{{dataset}}/{{source}}/{{clip}}"
PAGE = f"{REPORT}/index.html"
ALL_METRICS = f"{REPORT}/{METRIC_TABLE}"
LOGS = "results/logs"
BENCHMARKS = "results/benchmarks"
RESERVED_NAMES = ("shared", "logs", "benchmarks")
"""Folders below results/ that belong to no configuration."""

MAX_SHARDS = 100_000
"""Shards of one domain."""


@dataclass(frozen=True, order=True)
class Run:
    """One method on one data set, source of images, CLIP and seed, in the configuration of this name."""

    configuration: str
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

    configuration: str
    dataset: str
    source: str
    clip: str
