"""The very same sampling code on small checkpoints of four families."""

import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from tests.generation.checkpoints import FAMILIES, save_checkpoint
from workflow_scripts.common import image_check
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.image_check import DrawnImage, ImageCheck, checked
from workflow_scripts.common.shards import ImageRow, open_shard, provenance_of
from workflow_scripts.generation import generate_images
from workflow_scripts.generation.drawer import DrawerPart, heeded, load_drawer
from workflow_scripts.generation.drawers import diffusers_pipeline
from workflow_scripts.generation.drawers.diffusers_pipeline import PipelineDrawer, draw_batch
from workflow_scripts.generation.pipelines import load_pipeline
from workflow_scripts.generation.prompt_embeddings import EncodedPrompts, encode_prompts
from workflow_scripts.generation.requests import requests
from workflow_scripts.generation.sampling import generate
from workflow_scripts.generation.settings import GeneratedShardJob
from workflow_scripts.prompts.prompt_table import GENERATION_COLUMNS, generation_rows, write_table

CPU = torch.device("cpu")
NAMES = ('a "b" $(touch x)', "../x/é")


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: save_checkpoint(family, tmp_path_factory.mktemp(family)) for family in FAMILIES}


def settings(**changes: Any) -> GeneratedShardJob:
    values: dict[str, Any] = {
        "dataset": "d",
        "source": "g",
        "domain": "photo",
        "first_index": 0,
        "indices": 2,
        "steps": 2,
        "guidance_scale": 3.0,
        "size": 32,
        "batch_size": 4,
        **changes,
    }
    return GeneratedShardJob(**values)


def prompts() -> list[dict[str, Any]]:
    return generation_rows(NAMES, domain="photo", templates=["one {}", "two {}"])


def generated(manifest: Path, chosen: GeneratedShardJob) -> list[ImageRow]:
    return list(generate(load_drawer(manifest, chosen, device=CPU), requests(prompts(), chosen), chosen))


def pixels(row: ImageRow) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(row.image)).convert("RGB"), dtype=np.int16)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_generates_the_same_image_in_any_batch_and_shard(family: str, manifests: dict[str, Path]) -> None:
    together = generated(manifests[family], settings())
    assert [(row.label, row.index) for row in together] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert [row.prompt for row in together] == [
        f"one {NAMES[0]}",
        f"one {NAMES[1]}",
        f"two {NAMES[0]}",
        f"two {NAMES[1]}",
    ]
    assert pixels(together[0]).shape == (32, 32, 3)
    alone = generated(manifests[family], settings(batch_size=1))
    second = generated(manifests[family], settings(first_index=1, indices=1))
    for row, other in zip([*together, *together[2:]], [*alone, *second], strict=True):
        assert (row.seed, row.label, row.index) == (other.seed, other.label, other.index)
        assert np.abs(pixels(row) - pixels(other)).max() <= 2
    assert len({row.image for row in together}) == 4


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_encoding_once_equals_passing_texts(family: str, manifests: dict[str, Path]) -> None:
    chosen = settings()
    pipeline = load_pipeline(manifests[family], chosen, device=CPU)
    wanted = requests(prompts(), chosen)
    texts = [request.prompt for request in wanted]
    once = encode_prompts(pipeline, texts, negative_prompt=None, guidance_scale=3.0, arguments={})
    assert len(once.place) == 4
    assert all(len(tensor) == 4 for tensor in once.tensors.values())
    assert once.tensors
    encoded = draw_batch(pipeline, once, wanted, chosen)
    plain = draw_batch(pipeline, EncodedPrompts({}, {}, None), wanted, chosen)
    for one, other in zip(encoded, plain, strict=True):
        assert np.abs(one.pixels.astype(int) - other.pixels.astype(int)).max() <= 2


def test_each_distinct_prompt_is_encoded_once(manifests: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(indices=6)
    pipeline = load_pipeline(manifests["stable-diffusion"], chosen, device=CPU)
    calls: list[str] = []
    original = pipeline.encode_prompt

    def counted(prompt: Any, *arguments: Any, **options: Any) -> Any:
        calls.extend([prompt] if prompt is not None else [])
        return original(prompt, *arguments, **options)

    monkeypatch.setattr(pipeline, "encode_prompt", counted)
    assert len(list(generate(PipelineDrawer(pipeline, chosen), requests(prompts(), chosen), chosen))) == 12
    assert sorted(calls) == sorted({row["prompt"] for row in prompts()})


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 3},
        {"guidance_scale": 7.0},
        {"guidance_scale": 1.0},
        {"negative_prompt": "zzz"},
        {"scheduler": "euler-ancestral"},
        {"seed": 1},
        {"size": 48},
        {"stored_size": 16},
        {"arguments": {"guidance_rescale": 0.7}},
    ],
)
def test_every_setting_changes_the_image(changes: dict[str, Any], manifests: dict[str, Path]) -> None:
    base = generated(manifests["stable-diffusion"], settings())
    other = generated(manifests["stable-diffusion"], settings(**changes))
    assert base[0].image != other[0].image
    size = changes.get("stored_size", changes.get("size", 32))
    assert pixels(other[0]).shape == (size, size, 3)


def test_settings_that_a_pipeline_cannot_heed_are_refused(manifests: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=r"scheduler: 'ddim' does not fit FluxPipeline \(fitting: flow-match-euler\)"):
        load_pipeline(manifests["flux"], settings(scheduler="ddim"), device=CPU)
    with pytest.raises(InputError, match=r"scheduler: 'flow-match-euler' does not fit StableDiffusionPipeline"):
        load_pipeline(manifests["stable-diffusion"], settings(scheduler="flow-match-euler"), device=CPU)
    with pytest.raises(InputError, match="negative_prompt: has no effect without guidance"):
        load_pipeline(manifests["pixart"], settings(negative_prompt="x", guidance_scale=1.0), device=CPU)
    with pytest.raises(InputError, match="arguments: FluxPipeline takes no 'clip_skip'; remove it"):
        load_pipeline(manifests["flux"], settings(arguments={"clip_skip": 1}), device=CPU)


def test_arguments_reach_the_encoding_too(manifests: dict[str, Path]) -> None:
    base = generated(manifests["stable-diffusion-xl"], settings())
    skipped = generated(manifests["stable-diffusion-xl"], settings(arguments={"clip_skip": 1}))
    assert base[0].image != skipped[0].image


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"self": 1}, "arguments: StableDiffusionPipeline takes no 'self'; remove it"),
        ({"kwargs": 1}, "arguments: StableDiffusionPipeline takes no 'kwargs'; remove it"),
        ({"latents": 1}, "arguments.latents: 1 does not fit StableDiffusionPipeline, where it is neither a number nor"),
        (
            {"guidance_rescale": "x"},
            "arguments.guidance_rescale: 'x' does not fit StableDiffusionPipeline, where it is",
        ),
        ({"eta": 0.5}, "arguments.eta: DPMSolverMultistepScheduler does not heed it; remove it"),
    ],
)
def test_arguments_that_would_not_be_heeded_are_refused(
    arguments: dict[str, Any], error: str, manifests: dict[str, Path]
) -> None:
    with pytest.raises(InputError, match=f"^{error}"):
        load_pipeline(manifests["stable-diffusion"], settings(scheduler="dpm++", arguments=arguments), device=CPU)


def test_arguments_of_other_keys_and_unknown_drawers_are_refused(manifests: dict[str, Path]) -> None:
    with pytest.raises(ValidationError, match="guidance_scale has a key of its own"):
        settings(arguments={"guidance_scale": 2.0})
    with pytest.raises(ValidationError, match="eta must be true, false, a number or a text"):
        settings(arguments={"eta": {"a": 1}})
    with pytest.raises(InputError, match=r"generation\.drawers\.registry: DRAWER must be of the class DrawerPart"):
        load_drawer(manifests["pixart"], settings(drawer="registry"), device=CPU)


def test_what_a_drawer_does_not_heed_is_refused(manifests: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    part = DrawerPart(load=lambda *_: pytest.fail("was loaded"), heeds=("guidance_scale", "size", "batch_size"))
    monkeypatch.setattr(diffusers_pipeline, "DRAWER", part)
    with pytest.raises(InputError, match="steps: the drawer 'diffusers_pipeline' does not heed it; remove the key"):
        load_drawer(manifests["pixart"], settings(steps=2), device=CPU)
    assert {"steps", "scheduler", "dtype"}.isdisjoint(heeded(settings(steps=2)))
    assert heeded(settings())["guidance_scale"] == 3.0


def test_flagged_and_black_images_are_columns(
    manifests: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = settings()
    pipeline = load_pipeline(manifests["stable-diffusion"], chosen, device=CPU)

    def checker(image: Any, device: Any, dtype: Any) -> tuple[Any, list[bool]]:
        image[1] = -1.0 if isinstance(image, torch.Tensor) else 0.0
        return image, [False, True, False, False]

    monkeypatch.setattr(pipeline, "run_safety_checker", checker)
    rows = list(generate(PipelineDrawer(pipeline, chosen), requests(prompts(), chosen), chosen))
    nothing, both = {"flagged": False, "black": False}, {"flagged": True, "black": True}
    assert [row.checks for row in rows] == [nothing, both, nothing, nothing]
    assert "1 of 4 images are to be left out: 1 flagged and black" in caplog.text


@pytest.mark.parametrize(
    ("pictures", "error"),
    [
        ([np.zeros((2, 2, 3), dtype=np.uint8)] * 3, "was asked for 4 images and drew more or fewer"),
        ([np.zeros((2, 2, 3), dtype=np.uint8)] * 5, "was asked for 4 images and drew more or fewer"),
        ([np.zeros((2, 2, 3))] * 4, r"float64 of shape \(2, 2, 3\) is no picture"),
    ],
)
def test_what_a_drawer_hands_over_is_looked_at(pictures: list[Any], error: str) -> None:
    class Drawer:
        made_by: ClassVar[dict[str, Any]] = {}

        def draw(self, wanted: Any) -> Any:
            return (DrawnImage(pixels=each) for each in pictures)

    with pytest.raises(InputError, match=rf"^generation\.drawers\.diffusers_pipeline: {error}"):
        list(generate(Drawer(), requests(prompts(), settings()), settings()))


def test_a_check_says_yes_no_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    image = DrawnImage(pixels=np.zeros((2, 2, 3), dtype=np.uint8))
    assert checked(image) == {"flagged": None, "black": True}
    made = {"black": ImageCheck(lambda _: np.bool_(False))}  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(image_check, "_checks", lambda: made)
    assert checked(image)["black"] is False
    made["black"] = ImageCheck(lambda _: 0.5)  # type: ignore[arg-type, return-value]
    with pytest.raises(InputError, match=r"common\.image_checks\.black: found 0\.5; it must say True, False or None"):
        checked(image)


def test_without_a_checker_nothing_is_flagged(manifests: dict[str, Path]) -> None:
    rows = generated(manifests["stable-diffusion"], settings(safety_checker=False))
    assert {row.checks["flagged"] for row in rows} == {None}
    assert {row.checks["black"] for row in rows} == {False}


def run_entry(manifest: Path, folder: Path, chosen: GeneratedShardJob) -> Path:
    write_table(folder / "prompts.parquet", prompts(), GENERATION_COLUMNS)
    parser_arguments = {
        "settings": chosen.canonical(),
        "prompts": folder / "prompts.parquet",
        "model": manifest,
        "output": folder / "shard.parquet",
        "threads": 1,
        "locks": folder / "locks",
    }
    generate_images.job(type("Options", (), parser_arguments)())
    return folder / "shard.parquet"


def test_the_shard_is_bit_identical_and_says_what_made_it(manifests: dict[str, Path], tmp_path: Path) -> None:
    shards = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        shards.append(run_entry(manifests["stable-diffusion"], tmp_path / name, settings(scheduler="euler")))
    assert shards[0].read_bytes() == shards[1].read_bytes()
    made = provenance_of(open_shard(shards[0]))
    assert made["classes"] == list(NAMES)
    assert made["pipeline"] == "StableDiffusionPipeline"
    assert made["scheduler"] == "EulerDiscreteScheduler"
    assert made["environment"]["device"] == (torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu")
    assert (made["steps"], made["guidance_scale"], made["batch_size"]) == (2, 3.0, 4)
    rows = pq.read_table(shards[0]).to_pylist()
    assert rows[1]["class_name"] == NAMES[1]
    assert rows[1]["image_id"] == "g/photo/1/0"


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    manifest = save_checkpoint("stable-diffusion", tmp_path / "model")
    weights = tmp_path / "model/files/unet/diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"unet/diffusion_pytorch_model\.safetensors: damaged"):
        load_pipeline(manifest, settings(), device=CPU)
