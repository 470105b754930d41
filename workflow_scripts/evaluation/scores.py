"""Per-image scores: what every metric needs to know of one image, one alpha and one label space."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.func import functional_call

from workflow_scripts.ground.devices import autocast
from workflow_scripts.ground.images import DecodedImages
from workflow_scripts.ground.logs import progress
from workflow_scripts.ground.settings import Precision
from workflow_scripts.ground.weights import StateDict

KEPT_CLASSES = 5

SCORE_COLUMNS = pa.schema(
    [
        ("alpha", pa.string()),
        ("space", pa.string()),
        ("classes", pa.int32()),
        ("source_image", pa.string()),
        ("label", pa.int32()),
        ("top_classes", pa.list_(pa.int32())),
        ("top_logits", pa.list_(pa.float32())),
        ("log_sum_exp", pa.float32()),
        ("true_logit", pa.float32()),
        ("sum_squared_probabilities", pa.float32()),
        ("entropy", pa.float32()),
        ("logits", pa.list_(pa.float16())),
    ]
)


@dataclass(frozen=True)
class Point:
    """One point of the alpha grid: image encoder and head."""

    alpha: str
    encoder: StateDict
    head: StateDict

    def to(self, device: torch.device) -> "Point":
        """Return the point with its tensors on a device."""
        encoder = {name: tensor.to(device) for name, tensor in self.encoder.items()}
        return Point(self.alpha, encoder, {name: tensor.to(device) for name, tensor in self.head.items()})


def summarise(logits: Tensor, labels: Tensor) -> dict[str, npt.NDArray[np.generic]]:
    """Return the score columns of a batch that depend on logits.

    Args:
        logits: (batch, classes), within one label space.
        labels: (batch), true classes within that space.
    """
    wide = logits.double()
    log_sum_exp = wide.logsumexp(dim=-1)
    log_probabilities = wide - log_sum_exp[:, None]
    probabilities = log_probabilities.exp()
    top = wide.topk(min(KEPT_CLASSES, wide.shape[-1]), dim=-1)
    return {
        "top_classes": top.indices.int().cpu().numpy(),
        "top_logits": top.values.float().cpu().numpy(),
        "log_sum_exp": log_sum_exp.float().cpu().numpy(),
        "true_logit": wide.gather(1, labels[:, None])[:, 0].float().cpu().numpy(),
        "sum_squared_probabilities": probabilities.square().sum(dim=-1).float().cpu().numpy(),
        "entropy": -(probabilities * log_probabilities).sum(dim=-1).float().cpu().numpy(),
    }


@torch.no_grad()
def point_logits(encoder: nn.Module, point: Point, inputs: Tensor, *, precision: Precision) -> Tensor:
    """Return the logits (batch, classes) in float32 of one point, swapping its weights into the encoder."""
    with autocast(inputs.device, precision):
        features = functional_call(encoder, point.encoder, (inputs,)).float()
    with torch.autocast(inputs.device.type, enabled=False):
        normalised = nn.functional.normalize(features, dim=-1)
        return nn.functional.linear(normalised, point.head["weight"].float(), point.head["bias"].float())


def score_batches(
    images: DecodedImages,
    points: list[Point],
    *,
    encoder: nn.Module,
    normalise: Callable[[Tensor], Tensor],
    batch_size: int,
    precision: Precision,
    full_logits: bool,
    base: Sequence[int] | None,
) -> Iterator[tuple[str, pa.Table]]:
    """Yield, for each batch of images, one table of scores per point: every batch is read once for all alphas."""
    starts = range(0, len(images), batch_size)
    spaces = label_spaces(len(images.classes), base)
    for start in progress(starts, what=f"scoring {len(points)} alphas"):
        stop = min(start + batch_size, len(images))
        inputs = normalise(torch.from_numpy(images.pixels[start:stop]))
        labels = torch.from_numpy(images.labels[start:stop])
        sources = np.asarray(images.source_image[start:stop])
        for point in points:
            logits = point_logits(encoder, point, inputs, precision=precision).cpu()
            for space, rows in spaces.items():
                member = torch.isin(labels, rows)
                if member.any():
                    within = logits[member][:, rows]
                    own = torch.searchsorted(rows, labels[member])
                    table = _table(point.alpha, space, within, own, list(sources[member.numpy()]), full_logits)
                    yield point.alpha, table


def label_spaces(classes: int, base: Sequence[int] | None) -> dict[str, Tensor]:
    """Return the sorted labels of each space: all, and with a split the base and the new classes.

    Within a space classes are counted from 0 again, as in OGEN's protocol.
    """
    spaces = {"all": torch.arange(classes)}
    if base is not None:
        spaces["base"] = torch.tensor(sorted(base))
        spaces["new"] = torch.tensor(sorted(set(range(classes)) - set(base)))
    return spaces


def _table(
    alpha: str, space: str, logits: Tensor, labels: Tensor, source_image: list[str], full_logits: bool
) -> pa.Table:
    count = len(labels)
    columns = {
        "alpha": [alpha] * count,
        "space": [space] * count,
        "classes": np.full(count, logits.shape[-1], dtype=np.int32),
        "source_image": source_image,
        "label": labels.int().cpu().numpy(),
        **{name: list(values) if values.ndim == 2 else values for name, values in summarise(logits, labels).items()},
        "logits": list(logits.half().cpu().numpy()) if full_logits else [None] * count,
    }
    return pa.table(columns, schema=SCORE_COLUMNS)
