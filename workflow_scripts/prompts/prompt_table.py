"""The two prompt tables, as parquet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from workflow_scripts.common.files import replacing
from workflow_scripts.common.parquet import parquet_writer
from workflow_scripts.prompts.templates import fill

GENERATION_COLUMNS = pa.schema(
    [
        ("label", pa.int32()),
        ("class_name", pa.string()),
        ("domain", pa.string()),
        ("template", pa.int32()),
        ("prompt", pa.string()),
    ]
)
HEAD_COLUMNS = pa.schema([("label", pa.int32()), ("class_name", pa.string()), ("prompt", pa.string())])


def generation_rows(classes: Sequence[str], *, domain: str, templates: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row per class and template, sorted by label, then template."""
    return [
        {"label": label, "class_name": name, "domain": domain, "template": number, "prompt": fill(template, name)}
        for label, name in enumerate(classes)
        for number, template in enumerate(templates)
    ]


def head_rows(classes: Sequence[str], sentences: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return one row per class and sentence, sorted by label."""
    return [
        {"label": label, "class_name": name, "prompt": sentence}
        for label, name in enumerate(classes)
        for sentence in sentences[label]
    ]


def write_table(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows to a parquet file that appears only when it is whole."""
    with replacing(path) as temporary, parquet_writer(temporary, schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
