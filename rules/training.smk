# Needs: a CLIP checkpoint, the sentences of the head, and image manifests.
# Gives: class weights, trained image encoders, training logs and run records.

ZERO_SHOT_RUN = "results/{dataset}/runs/none/{clip}/zero-shot/seed0"


rule zero_shot_head:
    input:
        clip=f"{MODEL}/manifest.json".replace("{model}", "{clip}"),
        prompts=f"{PROMPTS}/head.parquet",
    output:
        weights=f"{ZERO_SHOT_RUN}/class_weights.safetensors",
        record=f"{ZERO_SHOT_RUN}/record.json",
    log:
        f"{LOGS}/zero_shot_head/{{dataset}}/{{clip}}.log",
    benchmark:
        f"{BENCHMARKS}/zero_shot_head/{{dataset}}/{{clip}}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=30,
    params:
        code=lambda w: code_of("training.zero_shot"),
    shell:
        "python -m workflow_scripts.training.zero_shot --code {params.code} --clip {input.clip:q}"
        " --prompts {input.prompts:q} --output {output.weights:q} --record {output.record:q}"
        " --threads {threads} --log {log:q}"


rule finetune:
    input:
        images=lambda w: PLAN.train_manifests(run_of(w)),
        clip=f"{MODEL}/manifest.json".replace("{model}", "{clip}"),
        head=f"{ZERO_SHOT_RUN}/class_weights.safetensors",
    output:
        weights=f"{RUN}/model.safetensors",
        class_weights=f"{RUN}/class_weights.safetensors",
        records=f"{RUN}/train.jsonl",
        record=f"{RUN}/record.json",
    log:
        f"{LOGS}/finetune/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/finetune/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.configuration.methods),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.finetune(PLAN, w.method, int(w.seed)).canonical(),
        code=lambda w: code_of("training.finetune"),
    shell:
        "python -m workflow_scripts.training.finetune --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --head {input.head:q} --output {output.weights:q}"
        " --class-weights {output.class_weights:q} --records {output.records:q} --record {output.record:q}"
        " --threads {threads} --log {log:q}"
