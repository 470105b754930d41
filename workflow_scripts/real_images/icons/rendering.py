"""Drawing many icons: batches in processes of their own, so that one which brings the renderer down is found."""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workflow_scripts import run_entry_point
from workflow_scripts.common.logs import progress
from workflow_scripts.real_images.icons import render_batch
from workflow_scripts.real_images.icons.svg_checks import svg_error

BATCH = 500
_WAIT = 4 * render_batch.SECONDS
"""Seconds that a batch may take on the clock: other work may stand beside it."""

Drawing = npt.NDArray[np.uint8] | str
"""The pixels of an icon (size, size, 3) on white, or why there are none."""


def render(documents: Sequence[str], *, size: int, processes: int) -> list[Drawing]:
    """Draw SVG documents.

    Args:
        documents: whole documents with a square view.
        size: height and width in pixels.
        processes: how many batches are drawn at the same time.

    Returns:
        For each document its drawing, or in words why it was not drawn: refused, no SVG, or the renderer broke down.
    """
    refused = [svg_error(document) for document in documents]
    results: list[Drawing] = [reason or "" for reason in refused]
    wanted = [number for number, reason in enumerate(refused) if reason is None]
    blocks = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
    with ThreadPoolExecutor(processes) as pool:
        done = pool.map(lambda block: _drawn([documents[number] for number in block], size=size), blocks)
        for block, drawings in progress(zip(blocks, done, strict=True), what="drawing icons", total=len(blocks)):
            for number, drawing in zip(block, drawings, strict=True):
                results[number] = drawing
    return results


def _drawn(documents: Sequence[str], *, size: int) -> list[Drawing]:
    """Draw a batch; where its process breaks down, each half by itself, until the culprit stands alone."""
    answer = _answer({"documents": list(documents), "size": size})
    if answer is None:
        if len(documents) == 1:
            return ["brings the renderer down, or takes too long"]
        middle = len(documents) // 2
        return [*_drawn(documents[:middle], size=size), *_drawn(documents[middle:], size=size)]
    head, _, content = answer.partition(b"\n")
    errors: list[str | None] = json.loads(head)
    pictures = iter(np.frombuffer(content, dtype=np.uint8).reshape(-1, size, size, 3))
    return [next(pictures) if error is None else f"is no SVG that can be drawn ({error})" for error in errors]


def _answer(batch: dict[str, Any]) -> bytes | None:
    """Return what the process of a batch writes, or None if it broke down."""
    command = [sys.executable, "-P", str(Path(run_entry_point.__file__)), "real_images.icons.render_batch"]
    try:
        finished = subprocess.run(
            command, input=json.dumps(batch).encode(), capture_output=True, timeout=_WAIT, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return finished.stdout if finished.returncode == 0 else None
