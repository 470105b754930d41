"""Settings of real images: built-in data sets, image folders, or none at all."""

from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.common.settings import Count, Name, PathText, Settings

RealSource = Literal["real-train", "real-test"]
BuiltInDomain = Literal["photo", "negative", "sketch"]
Domains = Annotated[tuple[BuiltInDomain, ...], Field(min_length=1)]


class FashionMnist(Settings):
    """Fashion-MNIST (Xiao et al. 2017): 60,000 + 10,000 product photos of 28 x 28 pixels in ten classes."""

    kind: Literal["fashion-mnist"]
    folder: PathText | None = None
    """Folder with the four IDX files; if null, the Debian package's, else torchvision's download."""
    domains: Domains = ("photo", "negative", "sketch")
    """photo: as it is; negative: inverted; sketch: edges. The same pictures in each."""
    train_images: Annotated[int, Field(ge=1, le=60_000)] = 60_000
    """Training pictures, from the first one on."""
    test_images: Annotated[int, Field(ge=1, le=10_000)] = 2_000
    """Test pictures, from the first one on."""
    shards: Count = 1
    """Files per source and domain."""


class Digits(Settings):
    """scikit-learn's handwritten digits: 1,797 pictures of 8 x 8 pixels; the last 397 are the test images."""

    kind: Literal["digits"]
    domains: Domains = ("photo", "negative")
    """photo: as it is; negative: inverted; sketch: edges. The same pictures in each."""
    shards: Count = 1
    """Files per source and domain."""


class ImageFolders(Settings):
    """The user's own pictures: one folder per domain, in it one folder per class."""

    kind: Literal["folder"]
    train: dict[Name, PathText] = Field(default={})
    """Folder of each domain's training pictures (optional)."""
    test: dict[Name, PathText] = Field(default={})
    """Folder of each domain's test pictures (optional)."""
    domainbed_trial_seed: Annotated[int, Field(ge=0)] | None = None
    """If given, trainings hold out DomainBed's random fifth of each domain; if null, the last fifth of each class."""
    shards: Count = 1
    """Files per source and domain."""


class NoImages(Settings):
    """Class names and nothing else: results are measured on held-out generated images only."""

    kind: Literal["none"]


RealImages = Annotated[FashionMnist | Digits | ImageFolders | NoImages, Field(discriminator="kind")]


class RealShardJob(Settings):
    """What the job of one shard of real images needs to know."""

    dataset: Name
    images: RealImages
    source: RealSource
    domain: Name
    shard: Annotated[int, Field(ge=0)]
    listing: str = ""
    """Digest of an image folder's file names and sizes: other pictures, another shard."""


class RealManifestJob(Settings):
    """What the job of one manifest of real images needs to know."""

    dataset: Name
    source: RealSource
    domain: Name
    split_seed: int | None = None
    """Of DomainBed's random split; if null, the last fifth of each class is held out."""
