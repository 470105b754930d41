"""Settings of the selection of one run."""

from typing import Annotated, Any

from pydantic import Field

from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.common.settings import Alpha, Name, Seed, Settings, Text


class NamedPicker(Settings):
    """A picker of the configuration, and what it says of itself."""

    name: Name
    module: Name
    """Module of `selection.pickers` that holds it."""
    settings: dict[str, Any]
    title: Text
    explanation: Text
    looks_at: tuple[LooksAt, ...]
    criterion: Text | None


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
    pickers: Annotated[tuple[NamedPicker, ...], Field(min_length=1)]
    """The one that counts first."""
