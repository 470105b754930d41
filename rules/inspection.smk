# Needs: manifests of drawn and of real images, and a judge (a network that knows the classes).
# Gives: what the judge says of each picture, and the training picture that it resembles most.


rule inspect_images:
    input:
        images=lambda w: WHERE.image_manifest(w.dataset, w.source, w.domain),
        judge=lambda w: WHERE.model_manifest(PLAN.judge(w.dataset)),
        training_images=lambda w: WHERE.compared_manifests(w.dataset, w.source),
    output:
        INSPECTION,
    log:
        f"{LOGS}/inspect_images/{stem(INSPECTION)}.log",
    benchmark:
        f"{BENCHMARKS}/inspect_images/{stem(INSPECTION)}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.evaluation
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=30,
    params:
        start=start,
        settings=lambda w: jobs.inspect_images(w.source).canonical(),
        code=code_of("inspection.inspect_images"),
    shell:
        "{params.start} inspection.inspect_images --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --judge {input.judge:q} --training-images {input.training_images:q}"
        " --output {output:q} --threads {threads} --log {log:q}"
