"""Ask a judge what the pictures of one domain show, and look for copies of training pictures among them."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from workflow_scripts.common.constants import REAL_TEST
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import replacing
from workflow_scripts.common.images import decode_rgb
from workflow_scripts.common.logs import progress
from workflow_scripts.common.parquet import parquet_writer
from workflow_scripts.common.shards import ImageSet, load_image_set
from workflow_scripts.inspection.judge import Judge, load_judge
from workflow_scripts.inspection.near_copies import nearest
from workflow_scripts.inspection.settings import InspectionJob
from workflow_scripts.real_images.icons.styles import Pixels

logger = logging.getLogger(__name__)

COLUMNS = pa.schema(
    [
        pa.field("label", pa.int32()),
        pa.field("index", pa.int32()),
        pa.field("image_id", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("source", pa.string()),
        pa.field("rank", pa.int32()),
        pa.field("predicted", pa.string()),
        pa.field("nearest", pa.float32()),
        pa.field("nearest_id", pa.string()),
    ]
)
"""`rank` counts the classes that the judge finds likelier than the right one; `nearest` is null for real pictures."""
_SIDE = 32
"""Height and width at which pictures are compared: larger ones are smoother and resemble each other more, and the bound
above which two are twins (`real_images.icons.twins.SAME`) was found at this size."""


def job(options: argparse.Namespace) -> None:
    """Judge every usable picture, compare it with the training pictures, and write a row for each."""
    settings = InspectionJob.parse(options.settings)
    images = load_image_set(options.images)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        judge = load_judge(options.judge, images.classes, device=device)
        table = judged(images, judge, batch_size=settings.batch_size)
    if settings.source != REAL_TEST and options.training_images:
        drawn, _ = compared(images)
        parts = [compared(load_image_set(path)) for path in options.training_images]
        trained = np.concatenate([pixels for pixels, _ in parts])
        names = [name for _, part in parts for name in part]
        table["nearest"], table["nearest_id"] = nearest(drawn, trained, names)
    schema = pa.Table.from_pydict(table, schema=COLUMNS)
    with replacing(options.output) as temporary, parquet_writer(temporary, COLUMNS) as writer:
        writer.write_table(schema)
    right = float(np.mean(np.array(table["rank"]) == 0))
    logger.info("%d pictures of %s, %.1f %% recognized", len(table["rank"]), images.domain, 100 * right)


def usable(images: ImageSet) -> list[dict[str, Any]]:
    """Return the rows of the pictures that no check leaves out."""
    rows = images.rows(("image", "label", "index", "image_id"))
    return [row for row in progress(rows, what=f"reading {images.domain}", total=images.images) if not row["found"]]


def judged(images: ImageSet, judge: Judge, *, batch_size: int) -> dict[str, Any]:
    """Return the columns of the table, but for the nearest training pictures."""
    rows = usable(images)
    ranks: list[int] = []
    predicted: list[str] = []
    for start in progress(range(0, len(rows), batch_size), what="judging"):
        batch = rows[start : start + batch_size]
        pixels = np.stack([np.asarray(judge.preprocessing.geometry(_decoded(row))) for row in batch])
        likely = judge.probabilities(pixels)
        right = likely[np.arange(len(batch)), [row["label"] for row in batch]]
        ranks += (likely > right[:, None]).sum(axis=1).tolist()
        predicted += [images.classes[number] for number in likely.argmax(axis=1)]
    nothing: Sequence[None] = [None] * len(rows)
    return {
        "label": [row["label"] for row in rows],
        "index": [row["index"] for row in rows],
        "image_id": [row["image_id"] for row in rows],
        "domain": [images.domain] * len(rows),
        "source": [images.source] * len(rows),
        "rank": ranks,
        "predicted": predicted,
        "nearest": nothing,
        "nearest_id": nothing,
    }


def compared(images: ImageSet) -> tuple[Pixels, list[str]]:
    """Return the usable pictures at the size at which they are compared, and their names."""
    rows = usable(images)
    scaled = [_decoded(row).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR) for row in rows]
    return np.stack([np.asarray(picture) for picture in scaled]), [row["image_id"] for row in rows]


def _decoded(row: dict[str, Any]) -> Image.Image:
    return decode_rgb(row["image"]["bytes"], name=row["image_id"])


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, required=True, help="manifest of the pictures")
    parser.add_argument("--judge", type=Path, required=True, help="manifest of the judge")
    parser.add_argument("--training-images", type=Path, nargs="*", default=[], help="manifests of training pictures")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    run(job, parser)


if __name__ == "__main__":
    main()
