"""Train a student with a linear classifier on images by cross-entropy (ERM)."""

from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.run_files import ENCODER
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.common.students import load_student
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.domainbed.sampling import phase_schedule
from workflow_scripts.training.erm.classifier import CLASSES
from workflow_scripts.training.erm.settings import Erm
from workflow_scripts.training.erm.task import ErmTask
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, TrainingPhase, training_main
from workflow_scripts.training.method_settings import TrainingJob


def build(job: TrainingJob[Erm], inputs: TrainingInputs) -> Training:
    """Put a linear classifier on the student; both are trained, and written with the class names."""
    settings = job.method
    classes = load_image_set(inputs.images[0]).classes
    student, architecture = load_student(inputs.student, dimension=len(classes), seed=job.seed)
    preprocessing = architecture.preprocessing(settings.preprocessing)
    seen = load_seen_images(inputs.images, job, preprocessing=preprocessing, threads=inputs.threads, classes=classes)
    task = ErmTask(
        model=student.to(inputs.device),
        settings=settings,
        seed=job.seed,
        seen=seen,
        preprocessing=preprocessing,
        device=inputs.device,
    )
    phase = TrainingPhase(
        task=task,
        schedule=phase_schedule(
            settings.training, seen.training, per_domain=settings.batch_per_domain, seed=job.seed, name="train"
        ),
        optimizer=torch.optim.Adam(student.parameters(), lr=settings.training.learning_rate, fused=True),
        averager=averager_of(settings.averaging),
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        described = {**encoder_metadata(preprocessing, student=architecture), CLASSES: list(classes)}
        save_encoder(folder / ENCODER, student.state_dict(), metadata=described, identity=identity)

    return Training(phases=[phase], save=save, seen=seen)


if __name__ == "__main__":
    training_main(Erm, build, __doc__)
