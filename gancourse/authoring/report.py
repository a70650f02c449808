"""The table, the file of numbers and the page that a run of the course leaves behind."""

import html
import json
import pathlib

from gancourse import atomic, results

MISSING = 'alt="No description has been provided for this image"'  # what nbconvert writes for each figure
STYLE = """
body { font-family: system-ui, sans-serif; background: #fff; color: #111; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid #ccc; }
td.number { text-align: right; white-space: nowrap; }
td small { display: block; color: #333; }
"""


def status(run):
    """One word and, for a failure, where it failed."""
    return f"failed at {run.failure}" if run.failure else "passed"


def table(runs):
    """The runs as text: a line per chapter, and below it where it failed."""
    lines = [f"{'chapter':<8}{'status':<10}{'seconds':>8}{'peak MiB':>10}"]
    for run in runs:
        word = "failed" if run.failure else "passed"
        lines.append(f"{run.chapter:<8}{word:<10}{run.seconds:>8.1f}{memory(run):>10}")
        lines += [f"        {run.failure}"] if run.failure else []
    return "\n".join(lines)


def memory(run):
    """The peak in MiB as text; a dash where the system does not say."""
    return "–" if run.memory is None else f"{run.memory:.0f}"


def numbers(runs, folder):
    """Write `results.json` into `folder`, how each chapter ended with its published numbers; returns its path."""
    path = pathlib.Path(folder) / "results.json"
    with atomic.writing(path) as file:
        json.dump([run._asdict() for run in runs], file, indent=1, ensure_ascii=False)
    return path


def pages(chapters, folder):
    """An HTML page of each executed notebook in `folder`; returns {chapter number: file name}."""
    from nbconvert import HTMLExporter

    written = {}
    for chapter in chapters:
        executed = pathlib.Path(folder) / chapter.notebook.name
        if executed.exists():
            body, _ = HTMLExporter(template_name="lab").from_filename(str(executed))
            page = executed.with_suffix(".html")
            page.write_text(with_alternatives(body, executed), encoding="utf-8", newline="\n")
            written[chapter.number] = page.name
    return written


def with_alternatives(body, executed):
    """The page with the figures' alternative texts, which nbconvert's lab template leaves out."""
    for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                text = output["metadata"].get("image/png", {}).get("alt", "")
                body = body.replace(MISSING, f'alt="{html.escape(text)}"', 1)
    return body


def index(chapters, runs, folder):
    """Write `index.html` into `folder`, the chapters with links, status and numbers; returns its path."""
    links = pages(chapters, folder)
    by_number = {run.chapter: run for run in runs}
    rows = [
        _row(chapter, by_number[chapter.number], links) for chapter in chapters if chapter.number in by_number
    ]
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>gancourse</title><style>{STYLE}</style>'
        f"</head><body><h1>gancourse</h1><p>Profile: {html.escape(runs[0].profile if runs else '')}.</p><table>"
        "<tr><th>Chapter</th><th>Status</th><th>Seconds</th><th>Peak MiB</th><th>Published numbers</th></tr>"
        f"{''.join(rows)}</table></body></html>\n"
    )
    path = pathlib.Path(folder) / "index.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _row(chapter, run, links):
    name = chapter.source.stem.replace("_", " ")
    title = html.escape(name)
    if run.chapter in links:
        title = f'<a href="{html.escape(links[run.chapter])}">{title}</a>'
        title += f'<small><a href="{html.escape(chapter.notebook.name)}">notebook file</a></small>'
    published = "".join(f"<small>{html.escape(results.describe(number))}</small>" for number in run.numbers)
    return (
        f"<tr><td>{title}</td><td>{html.escape(status(run))}</td><td class=number>{run.seconds:.1f}</td>"
        f"<td class=number>{memory(run)}</td><td>{published}</td></tr>"
    )
