"""What VL2V-ADiP adds to VL2V's task: its teacher, and its two phases."""

from collections.abc import Iterator

import torch

from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.students import ProjectedStudent
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.domainbed.sampling import phase_schedule
from workflow_scripts.training.job import TrainingInputs, TrainingPhase
from workflow_scripts.training.vl2v.task import Vl2vTask
from workflow_scripts.training.vl2v.teacher import EncoderTeacher, Teacher, table_teacher
from workflow_scripts.training.vl2v_adip.settings import Vl2vAdip


def make_teacher(settings: Vl2vAdip, images: DecodedImages, inputs: TrainingInputs) -> Teacher:
    """Return the teacher: tables where there is no augmentation, else CLIP's frozen image encoder."""
    if settings.augmentation is None:
        return table_teacher(images, inputs.embeddings)
    clip = load_clip(inputs.clip, device=inputs.device)
    return EncoderTeacher(clip.visual.requires_grad_(False), clip.preprocessing.of_kind(settings.preprocessing))


def align_and_distill(task: Vl2vTask, student: ProjectedStudent, settings: Vl2vAdip) -> Iterator[TrainingPhase]:
    """Yield a phase that trains the projection alone, then one that trains the student alone."""
    phases = (
        ("align", student.projection, student.backbone, settings.align, settings.align_averaging),
        ("distill", student.backbone, student.projection, settings.distill, settings.averaging),
    )
    for name, trained, frozen, phase, averaging in phases:
        frozen.requires_grad_(False)
        trained.requires_grad_(True)
        yield TrainingPhase(
            task=task,
            schedule=phase_schedule(
                phase, task.seen.training, per_domain=settings.batch_per_domain, seed=task.seed, name=name
            ),
            optimizer=torch.optim.Adam(trained.parameters(), lr=phase.learning_rate, fused=True),
            averager=averager_of(averaging),
        )
