"""ERM: the cross-entropy of a linear classifier on the student; what is measured is what was trained."""

from pathlib import Path

import pytest
import timm
import torch

from tests.training.tiny import CLASSES, CPU, bits, tiny_seen
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.run_files import ENCODER
from workflow_scripts.common.students import Architecture, ProjectedStudent
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.domainbed.sampling import phase_schedule
from workflow_scripts.training.domainbed.settings import Phase
from workflow_scripts.training.erm.classifier import CLASSES as KEY
from workflow_scripts.training.erm.classifier import StudentClassifier, load_classifier
from workflow_scripts.training.erm.settings import Erm
from workflow_scripts.training.erm.task import ErmTask
from workflow_scripts.training.job import Identity, TrainingPhase, run_phases
from workflow_scripts.training.method_settings import NoAveraging

ARCHITECTURE = Architecture(name="test_resnet", arguments={}, size=8, mean=(0.5, 0.4, 0.3), std=(0.5, 0.6, 0.7))
PHASE = {"steps": 20, "validate_every": 10, "learning_rate": 0.003}


def make_task(**changes: object) -> ErmTask:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ProjectedStudent(timm.create_model("test_resnet", num_classes=0), dimension=len(CLASSES))
    values = {"kind": "erm", "student": "s", "augmentation": None, "batch_per_domain": 3, "training": PHASE}
    settings = Erm.model_validate({**values, **changes})
    preprocessing = ARCHITECTURE.preprocessing(settings.preprocessing)
    return ErmTask(model=model, settings=settings, seed=0, seen=tiny_seen(), preprocessing=preprocessing, device=CPU)


def test_the_loss_is_the_cross_entropy_of_the_classifier() -> None:
    task = make_task(preprocessing="clip")
    task.model.eval()
    batch = torch.tensor([0, 4, 5])
    loss, parts = task.loss(batch, interval=0, step=0)
    pixels = torch.from_numpy(task.seen.training.pixels[batch.numpy()]).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (ARCHITECTURE.mean, ARCHITECTURE.std))
    assert isinstance(task.model, ProjectedStudent)
    features = task.model.backbone((pixels - mean) / std)
    logits = features @ task.model.projection.weight.T + task.model.projection.bias
    labels = torch.from_numpy(task.seen.training.labels[batch.numpy()])
    expected = -logits.log_softmax(dim=-1)[torch.arange(3), labels].mean()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    assert parts["accuracy"] == pytest.approx(float((logits.argmax(dim=-1) == labels).float().mean()))


def test_it_learns_and_keeps_statistics_of_batch_norm(tmp_path: Path) -> None:
    task = make_task()
    before = {name: tensor.clone() for name, tensor in task.model.named_buffers()}
    parts = {name: bits(module) for name, module in task.model.named_children()}
    phase = TrainingPhase(
        task=task,
        schedule=phase_schedule(Phase.model_validate(PHASE), task.seen.training, per_domain=3, seed=0, name="train"),
        optimizer=torch.optim.Adam(task.model.parameters(), lr=0.003),
        averager=averager_of(NoAveraging()),
    )
    entries = list(run_phases([phase], Identity({}, 1, tmp_path), device=CPU))
    losses = [entry["loss"] for entry in entries if entry["kind"] == "step"]
    assert len(losses) == 20
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert all(torch.equal(before[name], tensor) for name, tensor in task.model.named_buffers())
    assert all(bits(module) != parts[name] for name, module in task.model.named_children())


def test_what_is_read_gives_the_students_own_logits(tmp_path: Path) -> None:
    task = make_task()
    task.model.eval()
    path = tmp_path / ENCODER
    described = {**encoder_metadata(task.preprocessing, student=ARCHITECTURE), KEY: list(CLASSES)}
    save_encoder(path, task.model.state_dict(), metadata=described, identity={})

    def loaded() -> StudentClassifier:
        return load_classifier(
            clip=tmp_path / "none", artifacts={ENCODER: path}, alphas=["1.00"], precision="fp32", device=CPU
        )

    classifier = loaded()
    pictures = torch.rand(4, 3, 8, 8)
    ((alpha, logits),) = classifier.logits(pictures)
    assert (alpha, classifier.classes, classifier.preprocessing) == ("1.00", CLASSES, task.preprocessing)
    # Not normalized: the student is no CLIP.
    torch.testing.assert_close(logits, task.classifier()(pictures))
    save_encoder(path, task.model.state_dict(), metadata={**described, KEY: None}, identity={})
    with pytest.raises(InputError, match="names no classes"):
        loaded()


def test_it_needs_images_of_every_class() -> None:
    assert [key for key, _ in Erm(kind="erm", student="s", train_classes="base").errors()] == ["train_classes"]
    assert list(Erm(kind="erm", student="s").errors()) == []
