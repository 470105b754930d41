# Needs: metric tables, training logs, records, and images of every kind.
# Gives: figures per comparison, one table, and one self-contained page.


rule report_figures:
    input:
        metrics=lambda w: [
            path for run in comparison_runs(w) for path in run_metrics(PLAN, run)
        ],
        logs=lambda w: [
            f"{run.folder}/train.jsonl"
            for run in comparison_runs(w)
            if run.method != "zero-shot"
        ],
        generated=lambda w: PLAN.source_manifests(w.dataset, w.source),
        real=lambda w: PLAN.test_manifests(w.dataset),
    output:
        images=report(
            f"{FIGURES}/images.png",
            caption="../workflow_scripts/report/captions/images.rst",
            category="{dataset}",
            subcategory="{source}, {clip}",
            labels={"figure": "generated beside real images"},
        ),
        alphas=report(
            f"{FIGURES}/alphas.png",
            caption="../workflow_scripts/report/captions/alphas.rst",
            category="{dataset}",
            subcategory="{source}, {clip}",
            labels={"figure": "accuracy over alpha"},
        ),
        training=report(
            f"{FIGURES}/training.png",
            caption="../workflow_scripts/report/captions/training.rst",
            category="{dataset}",
            subcategory="{source}, {clip}",
            labels={"figure": "training curves"},
        ),
    log:
        f"{LOGS}/report_figures/{{dataset}}/{{source}}/{{clip}}.log",
    benchmark:
        f"{BENCHMARKS}/report_figures/{{dataset}}/{{source}}/{{clip}}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=jobs.figures(PLAN).canonical(),
        code=lambda w: code_of("report.figures"),
    shell:
        "python -m workflow_scripts.report.figures --settings {params.settings:q} --code {params.code}"
        " --metrics {input.metrics:q} --logs {input.logs:q} --generated {input.generated:q} --real {input.real:q}"
        " --images {output.images:q} --alphas {output.alphas:q} --training {output.training:q} --log {log:q}"


rule report_page:
    input:
        metrics=report_metrics(PLAN),
        records=report_records(PLAN),
        manifests=[*PLAN.model_manifests(), *PLAN.all_image_manifests()],
        figures=report_figures(PLAN),
    output:
        page=report(
            f"{REPORT}/index.html",
            caption="../workflow_scripts/report/captions/page.rst",
            category="Report",
            labels={"figure": "the whole page"},
        ),
        table=f"{REPORT}/metrics.csv",
    log:
        f"{LOGS}/report_page.log",
    benchmark:
        f"{BENCHMARKS}/report_page/page.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.page(PLAN).canonical(),
        code=lambda w: code_of("report.page"),
        costs=BENCHMARKS,
    shell:
        "python -m workflow_scripts.report.page --settings {params.settings:q} --code {params.code}"
        " --metrics {input.metrics:q} --records {input.records:q} --manifests {input.manifests:q}"
        " --figures {input.figures:q} --costs {params.costs:q} --output {output.page:q} --table {output.table:q}"
        " --log {log:q}"
