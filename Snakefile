# nameonly: from class names alone to an image classifier. See README.md; every key of the configuration is
# described in config.schema.json.
from os import PathLike

from snakemake.utils import min_version

min_version("9.27")

if not isinstance(workflow.current_basedir, PathLike):
    raise WorkflowError(
        "github(...) and the like bring the rules of nameonly but not its code: clone it and name the Snakefile there"
    )


include: "rules/common.smk"


# The first rule is what `snakemake` makes: this one, or the first of a workflow that uses us as a module after it.
rule all:
    input:
        all_products(WHERE),
    localrule: True


include: "rules/models.smk"
include: "rules/prompts.smk"
include: "rules/real_images.smk"
include: "rules/generation.smk"
include: "rules/inspection.smk"
include: "rules/training.smk"
include: "rules/ensembling.smk"
include: "rules/evaluation.smk"
include: "rules/selection.smk"
include: "rules/report.smk"
