"""Per-image scores: what every metric needs to know of one image, one alpha and one label set."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.logs import progress
from workflow_scripts.common.preprocessing import unit_pixels
from workflow_scripts.ensembling.classifier import Classifier

TOP_CLASSES = 5

SCORE_COLUMNS = pa.schema(
    [
        ("alpha", pa.string()),
        ("label_set", pa.string()),
        ("classes", pa.int32()),
        ("image_id", pa.string()),
        ("label", pa.int32()),
        ("top_classes", pa.list_(pa.int32())),
        ("top_logits", pa.list_(pa.float32())),
        ("log_sum_exp", pa.float32()),
        ("true_logit", pa.float32()),
        ("sum_squared_probabilities", pa.float32()),
        ("logits", pa.list_(pa.float16())),
    ]
)


def summarize(logits: Tensor, labels: Tensor) -> dict[str, npt.NDArray[np.generic]]:
    """Return the score columns of a batch that depend on logits.

    Args:
        logits: (batch, classes), within one label set.
        labels: (batch), true classes within that label set.
    """
    wide = logits.double()
    log_sum_exp = wide.logsumexp(dim=-1)
    probabilities = (wide - log_sum_exp[:, None]).exp()
    top = wide.topk(min(TOP_CLASSES, wide.shape[-1]), dim=-1)
    return {
        "top_classes": top.indices.int().cpu().numpy(),
        "top_logits": top.values.float().cpu().numpy(),
        "log_sum_exp": log_sum_exp.float().cpu().numpy(),
        "true_logit": wide.gather(1, labels[:, None])[:, 0].float().cpu().numpy(),
        "sum_squared_probabilities": probabilities.square().sum(dim=-1).float().cpu().numpy(),
    }


def score_batches(
    images: DecodedImages,
    classifier: Classifier,
    *,
    alphas: Sequence[str],
    device: torch.device,
    batch_size: int,
    full_logits: bool,
    base: Sequence[int] | None,
) -> Iterator[tuple[str, pa.Table]]:
    """Yield, for each batch of images, one table of scores per alpha: every batch is read once for all alphas.

    Raises:
        InputError: the classifier gives other alphas than it was asked for, other classes, or what is no number.
    """
    starts = range(0, len(images), batch_size)
    labels_of = label_sets(len(images.classes), base)
    for start in progress(starts, what="scoring"):
        stop = min(start + batch_size, len(images))
        pictures = unit_pixels(torch.from_numpy(images.pixels[start:stop]), device)
        labels = torch.from_numpy(images.labels[start:stop])
        image_ids = np.asarray(images.image_id[start:stop])
        given = []
        for alpha, logits in classifier.logits(pictures):
            given.append(alpha)
            if logits.shape != (len(labels), len(images.classes)) or not logits.isfinite().all():
                wanted = f"{len(labels)} pictures of {len(images.classes)} classes"
                raise InputError(
                    f"alpha {alpha}: logits of shape {tuple(logits.shape)} for {wanted}, or not all are numbers"
                )
            for label_set, members in labels_of.items():
                member = torch.isin(labels, members)
                if member.any():
                    within = logits.cpu()[member][:, members]
                    own = torch.searchsorted(members, labels[member])
                    table = _table(alpha, label_set, within, own, list(image_ids[member.numpy()]), full_logits)
                    yield alpha, table
        if given != list(alphas):
            raise InputError(f"the classifier gave alphas {', '.join(given) or 'none'}, not {', '.join(alphas)}")


def label_sets(classes: int, base: Sequence[int] | None) -> dict[str, Tensor]:
    """Return the sorted labels of each label set: all and, where there are base classes, the base and the new ones.

    Within a label set classes are counted from 0 again, as in OGEN's protocol.
    """
    labels_of = {"all": torch.arange(classes)}
    if base is not None:
        labels_of["base"] = torch.tensor(sorted(base))
        labels_of["new"] = torch.tensor(sorted(set(range(classes)) - set(base)))
    return labels_of


def _table(
    alpha: str, label_set: str, logits: Tensor, labels: Tensor, image_id: list[str], full_logits: bool
) -> pa.Table:
    count = len(labels)
    columns = {
        "alpha": [alpha] * count,
        "label_set": [label_set] * count,
        "classes": np.full(count, logits.shape[-1], dtype=np.int32),
        "image_id": image_id,
        "label": labels.int().cpu().numpy(),
        **{name: list(values) if values.ndim == 2 else values for name, values in summarize(logits, labels).items()},
        "logits": list(logits.half().cpu().numpy()) if full_logits else [None] * count,
    }
    return pa.table(columns, schema=SCORE_COLUMNS)
