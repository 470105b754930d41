# Needs: the prompts of a style and a text-to-image checkpoint.
# Gives: shards of generated images and their manifests.

GENERATORS = one_of(PLAN.configuration.generators)


rule generation_shard:
    input:
        prompts=f"{PROMPTS}/generation/{{domain}}.parquet",
        model=lambda w: model_manifest(PLAN.model_of(w.source)),
    output:
        f"{IMAGES}/shards/{{shard}}.parquet",
    log:
        f"{LOGS}/generation_shard/{{dataset}}/{{source}}/{{domain}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/generation_shard/{{dataset}}/{{source}}/{{domain}}/{{shard}}.tsv"
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
        settings=lambda w: jobs.generation_shard(
            PLAN, w.dataset, w.source, w.domain, int(w.shard)
        ).canonical(),
        code=lambda w: code_of("generation.draw"),
    shell:
        "python -m workflow_scripts.generation.draw --settings {params.settings:q} --code {params.code}"
        " --prompts {input.prompts:q} --model {input.model:q} --output {output:q} --threads {threads} --log {log:q}"


rule generation_manifest:
    input:
        lambda w: shards(PLAN, w.dataset, w.source, w.domain),
    output:
        f"{IMAGES}/manifest.json",
    log:
        f"{LOGS}/generation_manifest/{{dataset}}/{{source}}/{{domain}}.log",
    benchmark:
        f"{BENCHMARKS}/generation_manifest/{{dataset}}/{{source}}/{{domain}}.tsv"
    wildcard_constraints:
        source=GENERATORS,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.generation_manifest(
            w.dataset, w.source, w.domain
        ).canonical(),
        code=lambda w: code_of("generation.collect"),
    shell:
        "python -m workflow_scripts.generation.collect --settings {params.settings:q} --code {params.code}"
        " --shards {input:q} --output {output:q} --log {log:q}"
