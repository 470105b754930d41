"""What VL2V trains and what it leaves alone, in both methods and both phases."""

import copy
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from tests.training.tiny import CLASSES, CPU, bits, tiny_clip, tiny_images, tiny_seen
from workflow_scripts.common.clip import Clip
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.students import ProjectedStudent
from workflow_scripts.training.embedding_table import write_embeddings
from workflow_scripts.training.held_out import measure_held_out
from workflow_scripts.training.job import Identity, run_phases
from workflow_scripts.training.vl2v.task import Vl2vTask
from workflow_scripts.training.vl2v.teacher import EncoderTeacher, TableTeacher, table_teacher
from workflow_scripts.training.vl2v_adip.settings import Vl2vAdip
from workflow_scripts.training.vl2v_adip.task import align_and_distill
from workflow_scripts.training.vl2v_sd.settings import Vl2vSd


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def adip_settings(**changes: Any) -> Vl2vAdip:
    phase = {"steps": 2, "validate_every": 1, "learning_rate": 0.01}
    values: dict[str, Any] = {
        "kind": "vl2v-adip",
        "student": "s",
        "augmentation": None,
        "batch_per_domain": 3,
        "align": phase,
        "distill": phase,
        "averaging": {"kind": "none"},
        **changes,
    }
    return Vl2vAdip(**values)


def student() -> ProjectedStudent:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = timm.create_model("test_resnet", num_classes=0)
        return ProjectedStudent(backbone, dimension=16)


def make_task(model: torch.nn.Module, settings: Any, teacher: Any, head: torch.Tensor) -> Vl2vTask:
    return Vl2vTask(
        model=model,
        settings=settings,
        seed=0,
        seen=tiny_seen(),
        head=head,
        preprocessing=Preprocessing(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        teacher=teacher,
        device=CPU,
    )


def text(clip: Clip) -> torch.Tensor:
    return clip.scale * clip.encode_texts([f"a photo of a {name}" for name in CLASSES])


@pytest.mark.parametrize(("phase", "moved"), [("align", "projection"), ("distill", "backbone")])
def test_each_phase_moves_its_part_alone(clip: Clip, tmp_path: Path, phase: str, moved: str) -> None:
    model, head, settings = student(), text(clip), adip_settings()
    task = make_task(model, settings, TableTeacher(torch.randn(12, 16)), head)
    before = {name: bits(getattr(model, name)) for name in ("projection", "backbone")}
    head_before = head.clone()
    phases = (each for each in align_and_distill(task, model, settings) if each.schedule.name == phase)
    entries = list(run_phases(phases, Identity({}, 1, tmp_path), device=CPU))
    assert [entry["step"] for entry in entries if entry["kind"] == "step"] == [0, 1]
    for name, old in before.items():
        assert (bits(getattr(model, name)) != old) == (name == moved), name
    assert torch.equal(head, head_before)


def test_both_phases_count_on_and_learn(clip: Clip, tmp_path: Path) -> None:
    phase = {"steps": 30, "validate_every": 10, "learning_rate": 0.01}
    settings = adip_settings(align=phase, distill=phase)
    task = make_task(student(), settings, TableTeacher(torch.randn(12, 16)), text(clip))
    model = task.model
    assert isinstance(model, ProjectedStudent)
    entries = list(run_phases(align_and_distill(task, model, settings), Identity({}, 1, tmp_path), device=CPU))
    steps = [line for line in entries if line["kind"] == "step"]
    assert [line["step"] for line in steps] == list(range(60))
    assert {line["phase"] for line in steps[:30]} == {"align"}
    assert [line["interval"] for line in entries if line["kind"] == "validation"] == list(range(6))
    assert steps[-1]["loss"] < steps[30]["loss"] < steps[0]["loss"]


def test_self_distillation_starts_at_the_frozen_copy(clip: Clip) -> None:
    settings = Vl2vSd(kind="vl2v-sd", augmentation=None, batch_per_domain=3)
    frozen = copy.deepcopy(clip.visual)
    preprocessing = clip.preprocessing
    task = make_task(clip.visual, settings, EncoderTeacher(frozen, preprocessing), text(clip))
    task.model.eval()
    batch = torch.arange(6)
    loss, parts = task.loss(batch, interval=0, step=0)
    assert parts["image_cosine"] == pytest.approx(1.0, abs=1e-5)
    pixels = torch.from_numpy(task.seen.training.pixels[:6]).permute(0, 3, 1, 2).float() / 255
    features = torch.nn.functional.normalize(frozen(preprocessing.normalize(pixels)), dim=-1)
    to_text = (features * torch.nn.functional.normalize(text(clip)[batch % 3], dim=-1)).sum(dim=-1).mean()
    torch.testing.assert_close(loss, -(1 + to_text) / 2, rtol=0.0, atol=1e-5)


def test_the_prediction_does_not_depend_on_the_logit_scale(clip: Clip) -> None:
    settings = adip_settings()
    teacher = TableTeacher(torch.zeros(12, 16))
    tasks = [make_task(student().eval(), settings, teacher, scale * text(clip)) for scale in (1.0, 0.01)]
    losses = [measure_held_out(task.seen, task.classifier(), device=CPU) for task in tasks]
    assert losses[0]["held_out_accuracy"] == losses[1]["held_out_accuracy"]


def test_batch_normalization_keeps_its_statistics(clip: Clip) -> None:
    model = student()
    task = make_task(model, adip_settings(), TableTeacher(torch.randn(12, 16)), text(clip))
    before = {name: tensor.clone() for name, tensor in model.named_buffers()}
    task.begin_interval(0)
    task.loss(torch.arange(6), interval=0, step=0)
    assert before
    assert all(torch.equal(before[name], tensor) for name, tensor in model.named_buffers())


def write_tables(folder: Path, images: DecodedImages, *, without: int | None = None) -> list[Path]:
    paths = []
    for domain in range(len(images.domains)):
        own = [n for n in range(len(images)) if images.domain[n] == domain and n != without]
        path = folder / f"{domain}.parquet"
        values = torch.tensor([[float(n), 1.0] for n in own])
        write_embeddings(path, labels=images.labels[own], indices=images.index[own], values=values)
        paths.append(path)
    return paths


def test_a_table_finds_each_images_own_embedding(tmp_path: Path) -> None:
    images = tiny_images(12)
    teacher = table_teacher(images, write_tables(tmp_path, images))
    numbers = torch.tensor([7, 0, 11])
    assert teacher(numbers, torch.zeros(3, 3, 8, 8)).tolist() == [[7.0, 1.0], [0.0, 1.0], [11.0, 1.0]]


def test_a_table_that_misses_an_image_is_named(tmp_path: Path) -> None:
    images = tiny_images(12)
    tables = write_tables(tmp_path, images, without=7)
    with pytest.raises(InputError, match=r"1\.parquet: no embedding of image 2 of class 'dog'"):
        table_teacher(images, tables)
    with pytest.raises(InputError, match="1 tables of embeddings for 2 domains"):
        table_teacher(images, tables[:1])
    tables[0].write_bytes(b"cut")
    with pytest.raises(InputError, match=r"0\.parquet: not a readable table of embeddings"):
        table_teacher(images, tables)


def test_a_teacher_of_another_size_gets_resized_images(clip: Clip) -> None:
    teacher = EncoderTeacher(clip.visual, clip.preprocessing)
    assert teacher(torch.arange(2), torch.rand(2, 3, 12, 12)).shape == (2, 16)
