"""Settings of the selection of one run."""

from typing import Annotated, Any

from pydantic import Field

from workflow_scripts.common.settings import Alpha, Name, Seed, Settings


class NamedPicker(Settings):
    """A picker of the configuration."""

    name: Name
    module: Name
    """Module of `selection.pickers` that holds it."""
    settings: dict[str, Any]


class SelectionJob(Settings):
    """What the job of one run's selection needs to know."""

    dataset: Name
    source: Name
    clip: Name
    method: Name
    run_seed: Seed
    alphas: Annotated[tuple[Alpha, ...], Field(min_length=1)]
    """Alphas that the run was scored at."""
    domains: tuple[Name, ...]
    """Evaluation domains, in the order of the score tables."""
    pickers: tuple[NamedPicker, ...]
    """The one that counts first."""
