# Needs: the prompts of a domain and a text-to-image checkpoint.
# Gives: shards of generated images and their manifests.

GENERATORS = one_of(PLAN.configuration.generators)


rule generate_images:
    input:
        prompts=lambda w: WHERE.generation_prompts(w.dataset, w.domain),
        model=lambda w: WHERE.model_manifest(PLAN.model_of(w.source)),
    output:
        SHARD,
    log:
        f"{LOGS}/generate_images/{stem(SHARD)}.log",
    benchmark:
        f"{BENCHMARKS}/generate_images/{stem(SHARD)}.tsv"
    wildcard_constraints:
        source=GENERATORS,
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.generation
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=240,
    params:
        start=start,
        settings=lambda w: jobs.generate_images(
            PLAN, w.dataset, w.source, w.domain, w.shard
        ).canonical(),
        code=lambda w: code_of(
            "generation.generate_images",
            *modules_of("generation.drawers", PLAN.drawer(w.source)),
            *modules_of("common.image_checks"),
        ),
    shell:
        "{params.start} generation.generate_images --settings {params.settings:q} --code {params.code}"
        " --prompts {input.prompts:q} --model {input.model:q} --output {output:q} --threads {threads} --log {log:q}"


rule collect_generated_images:
    input:
        lambda w: WHERE.shards(w.dataset, w.source, w.domain),
    output:
        IMAGE_MANIFEST,
    log:
        f"{LOGS}/collect_generated_images/{stem(IMAGE_MANIFEST)}.log",
    benchmark:
        f"{BENCHMARKS}/collect_generated_images/{stem(IMAGE_MANIFEST)}.tsv"
    wildcard_constraints:
        source=GENERATORS,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.collect_generated_images(
            w.dataset, w.source, w.domain
        ).canonical(),
        code=lambda w: code_of("generation.collect_generated_images"),
    shell:
        "{params.start} generation.collect_generated_images --settings {params.settings:q}"
        " --code {params.code} --shards {input:q} --output {output:q} --log {log:q}"
