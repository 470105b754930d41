"""The whole configuration: every stage's settings composed, and exported as a schema."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from workflow_scripts.common.constants import REAL_TRAIN, ZERO_SHOT
from workflow_scripts.common.settings import Alpha, Count, Name, PathText, Seed, Settings
from workflow_scripts.evaluation.settings import Evaluation
from workflow_scripts.generation.drawers.registry import DRAWERS
from workflow_scripts.generation.settings import Sampling
from workflow_scripts.models.settings import (
    ClipCheckpoint,
    StudentCheckpoint,
    TextToImageCheckpoint,
)
from workflow_scripts.prompts.settings import Prompts
from workflow_scripts.real_images.kinds.registry import AnyImages
from workflow_scripts.real_images.settings import RealSource
from workflow_scripts.report.settings import Report
from workflow_scripts.selection.pickers.fixed import Fixed
from workflow_scripts.selection.pickers.oracle import Oracle
from workflow_scripts.selection.pickers.registry import AnyPicker
from workflow_scripts.training.method_settings import Method
from workflow_scripts.training.methods import AnyMethod


class Dataset(Settings):
    """One task: class names, what is said about them, and real images to measure on, if any."""

    classes: tuple[str, ...] | None = None
    """Class names in label order; if null, the data set's own or the names of its class folders."""
    classes_file: PathText | None = None
    """File of class names, one per line or a JSON list; in place of `classes`."""
    base_classes: Literal["half"] | tuple[str, ...] | None = None
    """Base classes of the base/new protocol: the first half (rounded up), or their names; null: no such protocol."""
    images: AnyImages
    judge: Name | None = None
    """Network of `students` that knows all classes by name and says what drawn pictures show; null: none is asked."""
    prompts: Prompts


def _known_drawer(name: str) -> str:
    if name not in DRAWERS:
        raise ValueError(f"must be one of {', '.join(DRAWERS)}")
    return name


class Generator(Sampling):
    """A text-to-image checkpoint and how it is sampled."""

    drawer: Annotated[Name, AfterValidator(_known_drawer), Field(json_schema_extra={"enum": [*DRAWERS]})] = (
        "diffusers_pipeline"
    )
    """What reads the checkpoint and draws: a module of `generation/drawers/`."""
    checkpoint: TextToImageCheckpoint
    images_per_class: Count = 64
    """Images of each class in each domain."""
    images_per_shard: Count = 1000
    """Images of all classes in one file, which is one job: 500 to 2,000 on a cluster."""


class RunBlock(Settings):
    """Every combination of what is listed is trained, averaged and evaluated; zero-shot always stands beside it."""

    datasets: Annotated[tuple[Name, ...], Field(min_length=1)]
    sources: tuple[Name, ...] = ()
    """Images to train on: names of generators, or real-train. Methods with `train_on: real` take real-train anyway."""
    clips: Annotated[tuple[Name, ...], Field(min_length=1)]
    methods: tuple[Name, ...] = ()
    """Names of methods; without any (or with `zero-shot` alone) nothing is drawn and nothing is trained.
    `zero-shot.NAME` measures zero-shot with another of the data set's heads, too."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)


class Threads(Settings):
    """CPU threads of each kind of job. Another number may change the last bits of results and reruns nothing."""

    preparation: Count = 2
    models: Count = 1
    text_to_image: Count = 2
    generation: Count = 1
    training: Count = 1
    evaluation: Count = 1


EXTENDS = "extends"
_EXTENDS_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    "description": "File, or files, that this one builds on; what both hold is replaced whole.",
}

DEFAULT_ALPHAS = tuple(f"{number / 10:.2f}" for number in range(11))
DEFAULT_PICKERS = {"fixed": Fixed(kind="fixed"), "oracle": Oracle(kind="oracle")}


class Configuration(Settings):
    """Everything that a configuration may say. What is left out has the default that stands here."""

    name: Name
    """Runs, scores, metrics, exports and the page lie in results/NAME; checkpoints and images are shared."""
    datasets: dict[Name, Dataset]
    clips: dict[Name, ClipCheckpoint]
    generators: dict[Name, Generator] = Field(default={})
    students: dict[Name, StudentCheckpoint] = Field(default={})
    """Networks of timm: what VL2V-ADiP distils into, and judges of drawn pictures."""
    methods: dict[Name, AnyMethod] = Field(default={})
    alphas: Annotated[tuple[Alpha, ...], Field(min_length=1, max_length=101)] = DEFAULT_ALPHAS
    """Weights of the fine-tuned endpoint that are evaluated, as texts: "0.00" is zero-shot, "1.00" fine-tuned."""
    pickers: Annotated[dict[Name, AnyPicker], Field(min_length=1)] = DEFAULT_PICKERS
    """What chooses an alpha for each run; the summary shows the choice of the first, which looks at no answers."""
    exports: tuple[Name, ...] = ()
    """What is written for plain open_clip: each run's averaged model at an alpha, or at the one that a picker chose."""
    runs: Annotated[tuple[RunBlock, ...], Field(min_length=1)]
    evaluation: Evaluation = Evaluation()
    report: Report = Report()
    threads: Threads = Threads()


def real_domains(dataset: Dataset, source: RealSource) -> tuple[str, ...]:
    """Return the domains of a data set's real training or test images."""
    domains: tuple[str, ...] = dataset.images.domains_of(source)
    return domains


def domains_of_source(configuration: Configuration, dataset: str, source: str) -> tuple[str, ...]:
    """Return the domains of a generator's images, or of real training images."""
    block = configuration.datasets[dataset]
    return real_domains(block, REAL_TRAIN) if source == REAL_TRAIN else tuple(block.prompts.domains)


def trained_methods(block: RunBlock) -> tuple[str, ...]:
    """Return the names of a block's methods that train something; zero-shot may be named, and does not."""
    return tuple(name for name in block.methods if name != ZERO_SHOT and not name.startswith(f"{ZERO_SHOT}."))


def named_heads(block: RunBlock) -> tuple[str, ...]:
    """Return the heads that a block measures zero-shot with, whatever its methods start from (`zero-shot.NAME`)."""
    return tuple(name.partition(".")[2] for name in block.methods if name.startswith(f"{ZERO_SHOT}."))


def run_source(method: Method, source: str) -> str:
    """Return the source that names a run: its method's real images, if it trains on these alone, or its block's."""
    return REAL_TRAIN if method.train_on == "real" else source


def sources_of(method: Method, source: str) -> tuple[str, ...]:
    """Return the sources of the images that a run is trained on, from the one that its block names."""
    named = run_source(method, source)
    return (named, REAL_TRAIN) if method.train_on == "mixed" else (named,)


def head_of(method: Method, dataset: Dataset) -> str:
    """Return the name of the zero-shot head that a method starts from: the one it names, or the first."""
    return method.head or next(iter(dataset.prompts.heads))


def zero_shot_name(head: str, dataset: Dataset) -> str:
    """Return the name that zero-shot with one of a data set's heads runs under; with the first it is plain."""
    return ZERO_SHOT if head == next(iter(dataset.prompts.heads)) else f"{ZERO_SHOT}.{head}"


def schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration's file, for editors: whole, or building on other files."""
    whole = Configuration.model_json_schema()
    properties = {EXTENDS: _EXTENDS_SCHEMA, **whole.pop("properties")}
    either = [{"required": whole.pop("required")}, {"required": [EXTENDS]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "anyOf": either, "properties": properties
    }  # fmt: skip


def write_schema(path: Path) -> None:
    """Write the JSON schema; a test keeps the committed file equal to it."""
    path.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
