# Needs: a CLIP checkpoint, the sentences of the head, and image manifests.
# Gives: class weights, trained image encoders or contexts, training logs and run records; embeddings that some methods
# learn from. One rule per kind of method.

ZERO_SHOT_RUN = "results/{dataset}/runs/none/{clip}/zero-shot/seed0"
RUN_LOG = "{dataset}/{source}/{clip}/{method}/seed{seed}"
CLIP_MANIFEST = f"{MODEL}/manifest.json".replace("{model}", "{clip}")


rule zero_shot_head:
    input:
        clip=CLIP_MANIFEST,
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
        clip=CLIP_MANIFEST,
        head=f"{ZERO_SHOT_RUN}/class_weights.safetensors",
    output:
        weights=f"{RUN}/model.safetensors",
        class_weights=f"{RUN}/class_weights.safetensors",
        records=f"{RUN}/train.jsonl",
        record=f"{RUN}/record.json",
    log:
        f"{LOGS}/finetune/{RUN_LOG}.log",
    benchmark:
        f"{BENCHMARKS}/finetune/{RUN_LOG}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Finetune)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.training(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.finetune"),
    shell:
        "python -m workflow_scripts.training.finetune --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --head {input.head:q} --output {output.weights:q}"
        " --class-weights {output.class_weights:q} --records {output.records:q} --record {output.record:q}"
        " --threads {threads} --log {log:q}"


# A table per domain: evidence for OGEN, a black-box teacher for VL2V-ADiP. Any table of this form can take its place.
rule image_embeddings:
    input:
        images=f"{IMAGES}/manifest.json",
        clip=CLIP_MANIFEST,
    output:
        EMBEDDINGS,
    log:
        f"{LOGS}/image_embeddings/{{dataset}}/{{source}}/{{domain}}/{{clip}}.{{view}}.log",
    benchmark:
        f"{BENCHMARKS}/image_embeddings/{{dataset}}/{{source}}/{{domain}}/{{clip}}.{{view}}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=120,
    params:
        code=lambda w: code_of("training.embed"),
    shell:
        "python -m workflow_scripts.training.embed --code {params.code} --images {input.images:q}"
        " --clip {input.clip:q} --view {wildcards.view} --output {output:q} --threads {threads} --log {log:q}"


rule class_statistics:
    input:
        images=lambda w: PLAN.train_manifests(run_of(w)),
        embeddings=lambda w: PLAN.embeddings(run_of(w)),
    output:
        f"{RUN}/class_statistics.safetensors",
    log:
        f"{LOGS}/class_statistics/{RUN_LOG}.log",
    benchmark:
        f"{BENCHMARKS}/class_statistics/{RUN_LOG}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Ogen)),
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.class_statistics(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.ogen.statistics"),
    shell:
        "python -m workflow_scripts.training.ogen.statistics --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --embeddings {input.embeddings:q} --output {output:q} --log {log:q}"


rule ogen:
    input:
        images=lambda w: PLAN.train_manifests(run_of(w)),
        clip=CLIP_MANIFEST,
        statistics=f"{RUN}/class_statistics.safetensors",
    output:
        context=f"{RUN}/context.safetensors",
        records=f"{RUN}/train.jsonl",
        record=f"{RUN}/record.json",
    log:
        f"{LOGS}/ogen/{RUN_LOG}.log",
    benchmark:
        f"{BENCHMARKS}/ogen/{RUN_LOG}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Ogen)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.training(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.ogen.train"),
    shell:
        "python -m workflow_scripts.training.ogen.train --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --statistics {input.statistics:q} --output {output.context:q}"
        " --records {output.records:q} --record {output.record:q} --threads {threads} --log {log:q}"


rule ogen_class_weights:
    input:
        clip=CLIP_MANIFEST,
        context=f"{RUN}/context.safetensors",
        images=lambda w: PLAN.train_manifests(run_of(w))[0],
    output:
        f"{RUN}/class_weights.safetensors",
    log:
        f"{LOGS}/ogen_class_weights/{RUN_LOG}.log",
    benchmark:
        f"{BENCHMARKS}/ogen_class_weights/{RUN_LOG}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Ogen)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=30,
    params:
        settings=lambda w: jobs.ogen_heads(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.ogen.class_weights"),
    shell:
        "python -m workflow_scripts.training.ogen.class_weights --settings {params.settings:q} --code {params.code}"
        " --clip {input.clip:q} --context {input.context:q} --images {input.images:q} --output {output:q}"
        " --threads {threads} --log {log:q}"


rule vl2v_sd:
    input:
        images=lambda w: PLAN.train_manifests(run_of(w)),
        clip=CLIP_MANIFEST,
        head=f"{ZERO_SHOT_RUN}/class_weights.safetensors",
    output:
        weights=f"{RUN}/model.safetensors",
        class_weights=f"{RUN}/class_weights.safetensors",
        records=f"{RUN}/train.jsonl",
        record=f"{RUN}/record.json",
    log:
        f"{LOGS}/vl2v_sd/{RUN_LOG}.log",
    benchmark:
        f"{BENCHMARKS}/vl2v_sd/{RUN_LOG}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Vl2vSd)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.training(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.vl2v.sd"),
    shell:
        "python -m workflow_scripts.training.vl2v.sd --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --head {input.head:q} --output {output.weights:q} --class-weights {output.class_weights:q}"
        " --records {output.records:q} --record {output.record:q} --threads {threads} --log {log:q}"


rule vl2v_adip:
    input:
        images=lambda w: PLAN.train_manifests(run_of(w)),
        clip=CLIP_MANIFEST,
        head=f"{ZERO_SHOT_RUN}/class_weights.safetensors",
        student=lambda w: PLAN.student_manifest(run_of(w)),
        embeddings=lambda w: PLAN.embeddings(run_of(w)),
    output:
        weights=f"{RUN}/model.safetensors",
        class_weights=f"{RUN}/class_weights.safetensors",
        records=f"{RUN}/train.jsonl",
        record=f"{RUN}/record.json",
    log:
        f"{LOGS}/vl2v_adip/{RUN_LOG}.log",
    benchmark:
        f"{BENCHMARKS}/vl2v_adip/{RUN_LOG}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Vl2vAdip)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.training(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.vl2v.adip"),
        embeddings=lambda w, input: (
            ["--embeddings", *input.embeddings] if input.embeddings else []
        ),
    shell:
        "python -m workflow_scripts.training.vl2v.adip --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --head {input.head:q} --student {input.student:q} {params.embeddings:q}"
        " --output {output.weights:q} --class-weights {output.class_weights:q}"
        " --records {output.records:q} --record {output.record:q} --threads {threads} --log {log:q}"
