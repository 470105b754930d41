# Needs: a CLIP checkpoint, the sentences of the head, and image manifests.
# Gives: zero-shot heads, embeddings that some methods learn from, and each run's artifacts, training log and metadata.


rule build_zero_shot_head:
    input:
        clip=lambda w: WHERE.model_manifest(w.clip),
        prompts=lambda w: WHERE.head_prompts(zero_shot_run_of(w)),
    output:
        head=f"{ZERO_SHOT_RUN}/{HEAD}",
        metadata=f"{ZERO_SHOT_RUN}/{METADATA}",
    log:
        f"{LOGS}/build_zero_shot_head/{stem(ZERO_SHOT_RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/build_zero_shot_head/{stem(ZERO_SHOT_RUN)}.tsv"
    wildcard_constraints:
        method=one_of(run.method for run in PLAN.zero_shot_runs),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=30,
    params:
        start=start,
        code=lambda w: code_of("training.build_zero_shot_head"),
    shell:
        "{params.start} training.build_zero_shot_head --code {params.code} --clip {input.clip:q}"
        " --prompts {input.prompts:q} --output {output.head:q} --metadata {output.metadata:q}"
        " --threads {threads} --log {log:q}"


# A table per domain: features of base classes for OGEN, a black-box teacher for VL2V-ADiP. Any table of this form can
# take its place.
rule embed_images:
    input:
        images=lambda w: WHERE.image_manifest(w.dataset, w.source, w.domain),
        clip=lambda w: WHERE.model_manifest(w.clip),
    output:
        EMBEDDINGS,
    log:
        f"{LOGS}/embed_images/{stem(EMBEDDINGS)}.log",
    benchmark:
        f"{BENCHMARKS}/embed_images/{stem(EMBEDDINGS)}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=120,
    params:
        start=start,
        code=lambda w: code_of("training.embed_images"),
    shell:
        "{params.start} training.embed_images --code {params.code} --images {input.images:q}"
        " --clip {input.clip:q} --preprocessing {wildcards.preprocessing} --output {output:q} --threads {threads}"
        " --log {log:q}"


# One rule for each kind of method. What a run of it reads and writes, its settings class says.
for KIND, SETTINGS in KINDS.items():

    rule:
        name:
            f"train_{KIND}"
        input:
            unpack(lambda w: WHERE.training_inputs(run_of(w))),
        output:
            [f"{RUN}/{name}" for name in SETTINGS.outputs()],
        log:
            f"{LOGS}/train_{KIND}/{stem(RUN)}.log",
        benchmark:
            f"{BENCHMARKS}/train_{KIND}/{stem(RUN)}.tsv"
        wildcard_constraints:
            method=one_of(PLAN.run_names(KIND)),
        conda:
            "../envs/nameonly.yaml"
        threads: THREADS.training
        resources:
            gpu=gpus,
            mem_mb=memory(8000),
            runtime=240,
        params:
            start=start,
            entry_point=f"training.{KIND}",
            settings=lambda w: jobs.train(PLAN, run_of(w)).canonical(),
            code=code_of(f"training.{KIND}"),
            inputs=lambda w, input: options_of(input),
            folder=prefixed(RUN),
        shell:
            "{params.start} {params.entry_point} --settings {params.settings:q} --code {params.code} {params.inputs:q}"
            " --output {params.folder:q} --threads {threads} --log {log:q}"
