# Needs: metric tables, training logs, metadata, and images of every kind.
# Gives: figures per comparison, one table, and one self-contained page.


rule draw_figures:
    input:
        metrics=lambda w: [
            path for run in comparison_runs(w) for path in run_metrics(PLAN, run)
        ],
        selections=lambda w: [selection_of(run) for run in comparison_runs(w)],
        training_logs=lambda w: [
            f"{run.folder}/{TRAINING_LOG}"
            for run in PLAN.logged_runs_of(comparison_of(w))
        ],
        training_images=lambda w: WHERE.training_manifests(comparison_of(w)),
        test_images=lambda w: WHERE.test_manifests(w.dataset),
        inspections=lambda w: WHERE.inspections(comparison_of(w)),
    output:
        [
            report(
                f"{FIGURE_FOLDER}/{name}.png",
                caption="../workflow_scripts/report/captions/figure.rst",
                category="{dataset}",
                subcategory="{source}, {clip}",
                labels={"figure": name},
            )
            for name in FIGURES
        ],
    log:
        f"{LOGS}/draw_figures/{stem(FIGURE_FOLDER)}.log",
    benchmark:
        f"{BENCHMARKS}/draw_figures/{stem(FIGURE_FOLDER)}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.draw_figures(PLAN, comparison_of(w)).canonical(),
        code=code_of(
            "report.draw_figures",
            *modules_of("report.figures"),
            *modules_of("evaluation.metrics"),
        ),
    shell:
        "{params.start} report.draw_figures --settings {params.settings:q} --code {params.code}"
        " --metrics {input.metrics:q} --selections {input.selections:q} --training-logs {input.training_logs:q}"
        " --training-images {input.training_images:q} --test-images {input.test_images:q}"
        " --inspections {input.inspections:q} --output {output:q} --log {log:q}"


rule write_page:
    input:
        metrics=report_metrics(PLAN),
        selections=[selection_of(run) for run in PLAN.runs],
        metadata=report_metadata(PLAN),
        models=WHERE.model_manifests(),
        images=WHERE.image_manifests(PLAN.image_domains),
        figures=report_figures(PLAN),
    output:
        page=report(
            PAGE,
            caption="../workflow_scripts/report/captions/page.rst",
            category="Report",
            labels={"figure": "the whole page"},
        ),
        table=ALL_METRICS,
    log:
        f"{LOGS}/write_page/{stem(PAGE)}.log",
    benchmark:
        f"{BENCHMARKS}/write_page/{stem(PAGE)}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.write_page(PLAN, shared=WHERE.shared()).canonical(),
        code=code_of("report.write_page", *modules_of("evaluation.metrics")),
        costs=prefixed(BENCHMARKS),
    shell:
        "{params.start} report.write_page --settings {params.settings:q} --code {params.code}"
        " --metrics {input.metrics:q} --selections {input.selections:q} --metadata {input.metadata:q} --models {input.models:q}"
        " --images {input.images:q} --figures {input.figures:q} --costs {params.costs:q} --output {output.page:q}"
        " --table {output.table:q} --log {log:q}"
