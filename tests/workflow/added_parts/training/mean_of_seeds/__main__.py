"""Average the weights of all seeds of a fine-tuned method."""

from pathlib import Path
from typing import Any

import torch
from workflow_scripts.training.mean_of_seeds.settings import MeanOfSeeds

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.encoders import save_encoder
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.common.weights import StateDict, load_weights
from workflow_scripts.training.job import Training, TrainingInputs, training_main
from workflow_scripts.training.method_settings import TrainingJob


def mean(states: list[StateDict]) -> StateDict:
    """Return the mean of some weights."""
    return {name: torch.stack([state[name].float() for state in states]).mean(dim=0) for name in states[0]}


def build(job: TrainingJob[MeanOfSeeds], inputs: TrainingInputs) -> Training:
    """Read the artifacts of every seed."""
    runs = [{path.name: path for path in paths} for paths in inputs.other_runs]
    heads = [load_head(run[HEAD]) for run in runs]
    encoders = [load_weights(run[ENCODER]) for run in runs]

    def save(folder: Path, identity: dict[str, Any]) -> None:
        described = encoders[0][1]["encoder"]
        averaged = mean([tensors for tensors, _ in encoders])
        save_encoder(folder / ENCODER, averaged, metadata=described, identity=identity)
        finetuned = mean([head.endpoints["finetuned"] for head in heads])
        endpoints = {"pretrained": heads[0].endpoints["pretrained"], "finetuned": finetuned}
        save_head(folder / HEAD, endpoints, classes=heads[0].classes)

    return Training(save=save)


if __name__ == "__main__":
    training_main(MeanOfSeeds, build, __doc__)
