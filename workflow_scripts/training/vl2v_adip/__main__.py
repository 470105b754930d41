"""VL2V-ADiP: align a student's projection with a teacher's embeddings, distill into the student, predict with text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.common.students import Architecture, ProjectedStudent, load_student
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, TrainingPhase, training_main
from workflow_scripts.training.method_settings import TrainingJob
from workflow_scripts.training.vl2v.task import Vl2vTask, phase_schedule
from workflow_scripts.training.vl2v.teacher import EncoderTeacher, Teacher, table_teacher
from workflow_scripts.training.vl2v_adip.settings import Vl2vAdip


def build(job: TrainingJob[Vl2vAdip], inputs: TrainingInputs) -> Training:
    """Put the student before its teacher; it is written with its projection and the text classifier."""
    settings = job.method
    zero_shot = load_head(inputs.zero_shot_head)
    head = zero_shot.endpoints["pretrained"]
    student, architecture = load_student(inputs.student, dimension=head["weight"].shape[1], seed=job.seed)
    preprocessing = student_preprocessing(architecture, settings)
    seen = load_seen_images(
        inputs.images, job, preprocessing=preprocessing, threads=inputs.threads, classes=zero_shot.classes
    )
    task = Vl2vTask(
        model=student.to(inputs.device),
        settings=settings,
        seed=job.seed,
        seen=seen,
        head=head["weight"].to(inputs.device),
        preprocessing=preprocessing,
        teacher=make_teacher(settings, seen.training, inputs),
        device=inputs.device,
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        described = encoder_metadata(preprocessing, student=architecture)
        save_encoder(folder / ENCODER, student.state_dict(), metadata=described, identity=identity)
        save_head(folder / HEAD, {"pretrained": head}, classes=zero_shot.classes)

    return Training(phases=align_and_distill(task, student, settings), save=save, seen=seen)


def student_preprocessing(architecture: Architecture, settings: Vl2vAdip) -> Preprocessing:
    """Return how the student sees pictures: a square of its own size, under its own or ImageNet's constants.

    The release uses ImageNet's for every student, also where the checkpoint expects others.
    """
    constants = {"clip": (architecture.mean, architecture.std), "imagenet": (IMAGENET_MEAN, IMAGENET_STD)}
    mean, std = constants[settings.preprocessing]
    return Preprocessing(size=architecture.size, mean=mean, std=std, resize_mode="squash")


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


if __name__ == "__main__":
    training_main(Vl2vAdip, build, __doc__)
