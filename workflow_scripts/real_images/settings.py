"""Settings of the jobs of real images."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from workflow_scripts.common.settings import Name, Settings

RealSource = Literal["real-train", "real-test"]

ImagesT = TypeVar("ImagesT", bound=Settings)


class PreparationJob(Settings, Generic[ImagesT]):
    """What the job that prepares all pictures of a data set needs to know."""

    images: ImagesT
    listing: str
    """Digest of the files that they are made from: other files, another table."""


def preparation_job(*, images: Settings, listing: str) -> PreparationJob[Any]:
    """Return the settings of a preparation, as its own kind of data set reads them."""
    job: Any = PreparationJob[type(images)]  # type: ignore[misc]
    settings: PreparationJob[Any] = job(images=images, listing=listing)
    return settings


class RealShardJob(Settings, Generic[ImagesT]):
    """What the job of one shard of real images needs to know."""

    dataset: Name
    images: ImagesT
    source: RealSource
    domain: Name
    shard: Annotated[int, Field(ge=0)]
    listing: str = ""
    """Digest of the user's own files: other pictures, another shard."""


def real_shard_job(*, images: Settings, **values: Any) -> RealShardJob[Any]:
    """Return the settings of a shard's job, as its own kind of data set reads them."""
    job: Any = RealShardJob[type(images)]  # type: ignore[misc]
    settings: RealShardJob[Any] = job(images=images, **values)
    return settings


class RealManifestJob(Settings):
    """What the job of one manifest of real images needs to know."""

    dataset: Name
    source: RealSource
    domain: Name
    split_seed: int | None = None
    """Of DomainBed's random split; if null, the last fifth of each class is held out."""
