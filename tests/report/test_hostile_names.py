"""Class names as an attack on the report: shown letter by letter, in the page and in a real browser; nothing runs."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.report.inputs import metric_rows, write_images, write_metrics, write_model, write_run_metadata
from tests.report.test_page import chromium, comparison, written_page

NAMES = [
    "<script>document.body.dataset.pwned=1</script>",
    '"><img src=x onerror="document.body.dataset.pwned=1">',
    "'><svg/onload=document.body.dataset.pwned=1>",
    "</title></style></pre><script>document.body.dataset.pwned=1</script>",
    "<!-- <b>",
    "]]><iframe srcdoc='<script>parent.document.body.dataset.pwned=1</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "{{ 7 * 191 }} {% for x in 'y' %}z{% endfor %}",
    "&lt;b&gt; &amp; &#60;",
    "كلب",
]
POLICY = re.compile(r"<meta http-equiv=.*?>")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a page on which every text from outside is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    further: dict[str, Any] = {"scheduler": NAMES[1], "note": NAMES[2], NAMES[5]: 1}
    return written_page(
        folder,
        metrics=[write_metrics(folder, metric_rows("plain"))],
        metadata=[write_run_metadata(folder, method="plain", note=NAMES[3])],
        images=[write_images(folder, source="gen", domain="photo", classes=NAMES, **further)],
        models=[
            write_model(folder, "hub-clip", kind="hub", repository=NAMES[1], revision=NAMES[0]),
            write_model(folder, "toy-clip", kind="pretrain", seen=NAMES[6]),
        ],
        comparisons=[comparison()],
    )


def test_no_name_becomes_markup(page: str) -> None:
    assert "pwned" in page
    for tag in ("script", "svg", "iframe", "img src=x", "a href=javascript"):
        assert f"<{tag}" not in page.lower()
    assert "1337" not in page
    assert "&amp;lt;b&amp;gt;" in page
    assert len(POLICY.findall(page)) == 1


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_runs_no_name(page: str, tmp_path: Path) -> None:
    probe = tmp_path / "index.html"
    # Without the policy that forbids all scripts, so that escaping alone is tested; our own script reads the text.
    reader = "<script>document.body.append(Object.assign(document.createElement('pre'),{id:'seen',textContent:btoa("
    reader += "unescape(encodeURIComponent(document.body.innerText)))}))</script></body>"
    probe.write_text(POLICY.sub("", page).replace("</body>", reader), encoding="utf-8")
    dom = chromium(tmp_path, "--dump-dom", "--virtual-time-budget=3000", url=probe.as_uri())
    assert "data-pwned" not in dom
    match = re.search(r'<pre id="seen">([\w+/=]+)</pre>', dom)
    assert match is not None
    import base64

    seen = base64.b64decode(match.group(1)).decode("utf-8")
    for name in NAMES:
        assert " ".join(name.split()) in " ".join(seen.split())


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_the_probe_would_notice_a_script(page: str, tmp_path: Path) -> None:
    probe = tmp_path / "index.html"
    probe.write_text(POLICY.sub("", page).replace("</body>", f"{NAMES[0]}</body>"), encoding="utf-8")
    assert "data-pwned" in chromium(tmp_path, "--dump-dom", url=probe.as_uri())
    # And the page's own policy would have stopped it.
    probe.write_text(page.replace("</body>", f"{NAMES[0]}</body>"), encoding="utf-8")
    assert "data-pwned" not in chromium(tmp_path, "--dump-dom", url=probe.as_uri())
