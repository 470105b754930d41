"""Figure files: PNGs that carry their own title, caption and alternative text, wherever they are copied to."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from workflow_scripts.common.errors import InputError

TITLE, CAPTION, ALT, NOTHING = "Title", "Description", "Alternative text", "Nothing to show"
"""Keywords of a file's texts; the last one stands in a file that only says why there is no figure."""


@dataclass(frozen=True)
class FigureFile:
    """A figure's texts, its content, and its width and height in pixels; `nothing` says why there is no figure."""

    title: str
    caption: str
    alt: str
    nothing: str | None
    content: bytes
    width: int
    height: int


def read_figure(path: Path) -> FigureFile:
    """Read a figure with its texts.

    Raises:
        InputError: the file is missing, or is no figure of ours.
    """
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            picture.load()
            texts, (width, height) = dict(picture.info), picture.size
        content = path.read_bytes()
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a PNG; delete it and run snakemake again") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: not a readable figure ({error}); delete it and run snakemake again") from None
    missing = [key for key in (TITLE, CAPTION, ALT) if key not in texts]
    if missing:
        raise InputError(f"{path}: a figure without its {missing[0]!r}; delete it and run snakemake again")
    return FigureFile(texts[TITLE], texts[CAPTION], texts[ALT], texts.get(NOTHING), content, width, height)
