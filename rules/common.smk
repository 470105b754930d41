# Needs: config. Gives: PLAN (the validated configuration), path patterns, and the small functions that rules call.
import os
import re
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

# The folder above rules/, also where another workflow uses this one as a module: `workflow.basedir` is that one's.
# Snakemake has put it into sys.path, before what is installed.
FOLDER = os.path.dirname(workflow.current_basedir)

import workflow_scripts

IMPORTED = os.path.dirname(workflow_scripts.__path__[0])
if not os.path.samefile(FOLDER, IMPORTED):
    raise WorkflowError(
        f"workflow_scripts comes from {IMPORTED}, not from {FOLDER}: one workflow can use one package of this name"
    )

from workflow_scripts.common.checkpoint_files import (
    AUTOENCODER_CONFIG,
    AUTOENCODER_FILES,
    AUTOENCODER_WEIGHTS,
    CLIP_FILES,
    EXPORT_CLASSES,
    EXPORT_HEAD,
    OPEN_CLIP_CONFIG,
    OPEN_CLIP_WEIGHTS,
    PIPELINE_FILES,
    STUDENT_FILES,
    TOKENIZER_FILES,
    TRANSFORMER_PIPELINE_FILES,
)
from workflow_scripts.common.constants import NO_SOURCE, REAL_TEST, REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.run_files import HEAD, METADATA, TRAINING_LOG
from workflow_scripts.common.settings import is_alpha
from workflow_scripts.planning import job_settings as jobs
from workflow_scripts.planning.code import code_of
from workflow_scripts.planning.configuration_files import (
    load_configuration,
    module_configuration,
)
from workflow_scripts.planning.hardware import has_gpu
from workflow_scripts.planning.layout import (
    ALL_METRICS,
    AUTOENCODER,
    BENCHMARKS,
    CLASSES,
    EMBEDDINGS,
    EXPORT,
    FIGURE_FOLDER,
    GENERATION_PROMPTS,
    HEAD_PROMPTS,
    IMAGE_MANIFEST,
    INSPECTION,
    LOGS,
    METRIC_TABLE,
    MODEL,
    MODEL_MANIFEST,
    PAGE,
    PREPARED,
    RUN,
    SCORES,
    SELECTION,
    SHARD,
    ZERO_SHOT_RUN,
    Comparison,
    Run,
)
from workflow_scripts.planning.locations import Locations
from workflow_scripts.planning.parts import modules_of, part_errors
from workflow_scripts.planning.plan import Plan
from workflow_scripts.planning.products import (
    all_products,
    report_figures,
    report_metrics,
    report_metadata,
    run_metrics,
    run_scores,
    selection_of,
)
from workflow_scripts.report.figures.registry import FIGURES
from workflow_scripts.training.methods import KINDS


def loaded_configuration():
    # Snakemake has merged all files deeply into `config` by now: they are read again, each block as it stands in one.
    settings = workflow.config_settings
    folder = Path(FOLDER)
    if workflow.modifier.skip_configfile:
        return module_configuration(config, workflow_folder=folder)
    if not workflow.modifier.is_main_snakefile():
        raise InputError("config: missing; give the module a whole configuration")
    given = list(settings.configfiles)
    # A workflow that includes this one may have a `configfile:`; files of the command line count over it.
    named = [Path(file).absolute() for file in workflow.configfiles[len(given) :]]
    return load_configuration(
        files=list(dict.fromkeys([*named, *given])),
        workflow_folder=folder,
        changes=settings.config,
    )


def validated_plan():
    used_as = workflow.modifier.namespace
    which = f"configuration of module {used_as}" if used_as else "configuration"
    try:
        if errors := part_errors():
            raise InputError("\n".join(errors))
        layers = loaded_configuration()
        if workflow.is_main_process and layers.replaced:
            logger.info(f"{which}: replaced " + "; ".join(layers.replaced))
        return Plan(layers.values)
    except InputError as error:
        raise WorkflowError(f"the {which} is refused:\n{error}") from None


def start(wildcards, threads):
    # Jobs run the code beside our Snakefile on the interpreter that runs snakemake; with --sdm the environment that
    # snakemake activates brings its own. No `shell.prefix`: it would reach the rules of a workflow that uses this one.
    # A param that asks for `threads` is not compared: a checkout that was moved is no reason to rerun.
    deployed = workflow.deployment_settings.deployment_method
    words = [
        "python" if deployed else sys.executable,
        "-P",
        os.path.join(FOLDER, "workflow_scripts", "run_entry_point.py"),
    ]
    return shlex.join(words)


def prefixed(pattern):
    # A path in a param as Snakemake makes it of an output: with the `prefix:` of a workflow that uses us as a module.
    return workflow.modifier.path_modifier.replace_prefix(pattern)


def own_files(paths):
    # Files of the user's as inputs: they do not lie below that prefix, nor in a storage.
    return [local(path) for path in paths]


def stem(pattern):
    # Where a job's log and benchmark lie, below the folder of its rule: as its product lies below results/.
    return os.path.splitext(pattern)[0].removeprefix("results/")


def one_of(names):
    # An empty alternative matches nothing: a rule without models or sources claims no path.
    return "|".join(re.escape(name) for name in names) or "(?!)"


def gpus(wildcards):
    # A job asks for a GPU only where there can be one: on this machine, or behind a cluster's executor.
    plugin = workflow.executor_plugin
    on_cluster = plugin is not None and not plugin.common_settings.local_exec
    return 1 if on_cluster or has_gpu() else 0


def memory(megabytes):
    return lambda wildcards, attempt: megabytes * attempt


def run_of(wildcards):
    return Run(
        wildcards.configuration,
        wildcards.dataset,
        wildcards.source,
        wildcards.clip,
        wildcards.method,
        int(wildcards.seed),
    )


def zero_shot_run_of(wildcards):
    return Run(
        wildcards.configuration,
        wildcards.dataset,
        NO_SOURCE,
        wildcards.clip,
        wildcards.method,
        0,
    )


def options_of(inputs):
    # The input clip becomes --clip, each with its files: entry points call their options as rules call their inputs.
    return [
        word
        for name, files in inputs.items()
        for word in (f"--{name.replace('_', '-')}", *files)
    ]


def comparison_of(wildcards):
    return Comparison(
        wildcards.configuration, wildcards.dataset, wildcards.source, wildcards.clip
    )


def comparison_runs(wildcards):
    return PLAN.runs_of(comparison_of(wildcards))


PLAN = validated_plan()
WHERE = Locations(PLAN)
THREADS = PLAN.configuration.threads


wildcard_constraints:
    configuration=re.escape(PLAN.configuration.name),
    dataset=one_of(PLAN.configuration.datasets),
    clip=one_of(PLAN.configuration.clips),
    method=one_of(dict.fromkeys(run.method for run in PLAN.runs)),
    head=one_of(dict.fromkeys(PLAN.planned(run).head for run in PLAN.runs)),
    model="[A-Za-z0-9][A-Za-z0-9._-]*",
    source="[A-Za-z0-9][A-Za-z0-9._-]*",
    domain="[A-Za-z0-9][A-Za-z0-9._-]*",
    alpha=rf"\d\.\d+|{one_of(PLAN.configuration.pickers)}",
    preprocessing="clip|imagenet",
    seed=r"\d+",
    shard=r"[\d]+(-of)?-\d+",
    digest=one_of(sorted(WHERE.digests())),
    extent=one_of(sorted(WHERE.extents())),
