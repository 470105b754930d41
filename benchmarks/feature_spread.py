"""How far features of real and of drawn pictures spread before and after each training of a finished configuration.

    .venv/bin/python benchmarks/feature_spread.py presets/icons-spread.yaml

Run it in the folder that holds `results/`. Printed are, of un-normalized and of normalized features, the mean over
dimensions of the standard deviation over all real test pictures and over the drawn pictures that no training sees: what
RegFT's variance term lifts on the pictures that it is trained on.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from workflow_scripts.common.constants import HELD_OUT  # noqa: E402
from workflow_scripts.common.encoders import RunEncoder, load_encoder  # noqa: E402
from workflow_scripts.common.images import Split, decode_image_sets  # noqa: E402
from workflow_scripts.common.preprocessing import Preprocessing, unit_pixels  # noqa: E402
from workflow_scripts.common.run_files import ENCODER  # noqa: E402
from workflow_scripts.common.shards import load_image_set  # noqa: E402
from workflow_scripts.planning.configuration_files import load_configuration  # noqa: E402
from workflow_scripts.planning.layout import Run  # noqa: E402
from workflow_scripts.planning.locations import Locations  # noqa: E402
from workflow_scripts.planning.plan import Plan  # noqa: E402
from workflow_scripts.training.feature_diversity import feature_diversity  # noqa: E402

BATCH = 256
CPU = torch.device("cpu")
COLUMNS = ("real", "real, normalized", "drawn", "drawn, normalized")


def pictures(manifests: list[str], preprocessing: Preprocessing, *, split: Split) -> Tensor:
    """Return the pixels of every picture, (pictures, size, size, 3), uint8."""
    sets = [load_image_set(Path(path)) for path in manifests]
    images = decode_image_sets(sets, size=preprocessing.size, geometry=preprocessing.geometry, split=split)
    return torch.from_numpy(images.pixels.copy())


@torch.no_grad()
def features_of(encoder: nn.Module, pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return un-normalized features, (pictures, dimension)."""
    parts = [encoder(preprocessing.normalize(unit_pixels(batch, CPU))) for batch in pixels.split(BATCH)]
    return torch.cat(parts).float()


def spread(features: Tensor) -> tuple[float, float]:
    """Return the mean standard deviation of a dimension, of features as they are and of normalized ones."""
    normalized = nn.functional.normalize(features, dim=-1)
    return feature_diversity(features)["feature_std"], feature_diversity(normalized)["feature_std"]


def run_rows(encoder: RunEncoder, real: Tensor, drawn: Tensor) -> list[tuple[str, tuple[float, ...]]]:
    """Return the four columns of an encoder before and after its training."""
    rows: list[tuple[str, tuple[float, ...]]] = []
    for name, weights in (("before", encoder.pretrained), ("after", encoder.finetuned)):
        assert weights is not None
        encoder.module.load_state_dict(weights)
        values = [spread(features_of(encoder.module, pixels, encoder.preprocessing)) for pixels in (real, drawn)]
        rows.append((name, (*values[0], *values[1])))
    return rows


def tuned_runs(plan: Plan) -> list[Run]:
    """Return every run that has an encoder before and after."""
    return [
        run
        for run in plan.trained_runs
        if ENCODER in plan.method(run).artifacts and len(plan.method(run).endpoints) > 1
    ]


def main() -> None:
    """Print a row per run."""
    layers = load_configuration(files=[Path(sys.argv[1])], workflow_folder=ROOT, changes={})
    plan = Plan(layers.values)
    where = Locations(plan)
    print("| run | | " + " | ".join(COLUMNS) + " |\n|---|---|" + "---|" * len(COLUMNS))
    for run in tuned_runs(plan):
        clip = Path(where.model_manifest(run.clip))
        encoder = load_encoder(clip=clip, encoder=Path(run.folder) / ENCODER, device=CPU)
        encoder.module.eval()
        real = pictures(where.test_manifests(run.dataset), encoder.preprocessing, split="all")
        drawn = pictures(where.train_manifests(run), encoder.preprocessing, split=HELD_OUT)
        for name, values in run_rows(encoder, real, drawn):
            cells = " | ".join(f"{value:.4f}" for value in values)
            print(f"| {run.method} seed {run.seed} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
