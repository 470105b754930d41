"""Which blocks of the configuration runs use, themselves or through other blocks; undefined names are left out."""

from workflow_scripts.models.settings import PretrainClip, PretrainStudent, PretrainTextToImage, SharedCheckpoint
from workflow_scripts.planning.configuration import Configuration, run_source


def _defined(names: list[str], blocks: dict[str, object]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in blocks]


def measured_datasets(configuration: Configuration) -> list[str]:
    """Return the data sets that a run names, without repeats."""
    return _defined([name for block in configuration.runs for name in block.datasets], {**configuration.datasets})


def used_datasets(configuration: Configuration) -> list[str]:
    """Return the data sets that a run names or that the corpus of a used model is taken from, without repeats."""
    models = [
        *(configuration.clips[name] for name in used_clips(configuration)),
        *(configuration.generators[name].checkpoint for name in used_text_to_image(configuration)),
        *(configuration.students[name] for name in used_students(configuration)),
    ]
    corpora = [
        model.corpus.dataset
        for model in models
        if isinstance(model, PretrainClip | PretrainTextToImage | PretrainStudent)
    ]
    return _defined([*measured_datasets(configuration), *corpora], {**configuration.datasets})


def used_generators(configuration: Configuration) -> list[str]:
    """Return the generators whose images a method is trained on, without repeats; without a method nothing is drawn."""
    names = [
        run_source(configuration.methods[name], source)
        for block in configuration.runs
        for name in _defined([*block.methods], {**configuration.methods})
        for source in block.sources
    ]
    return _defined(names, {**configuration.generators})


def model_of(configuration: Configuration, generator: str) -> str:
    """Return the name of the generator whose checkpoint a generator samples: its own, or the one that it shares."""
    checkpoint = configuration.generators[generator].checkpoint
    return checkpoint.generator if isinstance(checkpoint, SharedCheckpoint) else generator


def used_text_to_image(configuration: Configuration) -> list[str]:
    """Return the generators whose checkpoints are sampled by a run, without repeats."""
    names = [model_of(configuration, name) for name in used_generators(configuration)]
    return _defined(names, {**configuration.generators})


def used_clips(configuration: Configuration) -> list[str]:
    """Return the CLIPs that a run names or that a text-to-image model pretrained here is built on."""
    names = [name for block in configuration.runs for name in block.clips]
    checkpoints = [configuration.generators[name].checkpoint for name in used_text_to_image(configuration)]
    names += [checkpoint.clip for checkpoint in checkpoints if isinstance(checkpoint, PretrainTextToImage)]
    return _defined(names, {**configuration.clips})


def used_students(configuration: Configuration) -> list[str]:
    """Return the students that the method of a run trains, and the judges of data sets that runs name."""
    methods = [configuration.methods.get(name) for block in configuration.runs for name in block.methods]
    names = [method.student_name() for method in methods if method is not None]
    names += [configuration.datasets[name].judge for name in measured_datasets(configuration)]
    return _defined([name for name in names if name is not None], {**configuration.students})
