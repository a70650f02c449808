"""The exercises on a page: what a notebook asks for by `hint()` and `solution()` stands behind a click instead."""

import html
import re

from gancourse import exercises

CHECK = re.compile(r"questions\.(\w+)\.check\(")


def asked(cell):
    """The name of the question that a cell checks, or "" where it checks none."""
    found = CHECK.search(cell.source) if "exercise" in cell.metadata.get("tags", []) else None
    return found.group(1) if found else ""


def folded(question):
    """The Markdown of a question's hints, of which the second opens within the first, and of its solution."""
    hints = ""
    for number, text in reversed(list(enumerate(question.hint_texts, 1))):
        hints = _details("hint", f"Hint {number}", _lines(text), hints)
    return hints + _details("solution", "Solution", _solution(question))


def _details(kind, title, *parts):
    body = "\n\n".join(part for part in parts if part)
    return f'<details class="{kind}"><summary>{title}</summary>\n\n{body}\n\n</details>\n\n'


def _solution(question):
    """Code as code, everything else line by line."""
    if not isinstance(question, exercises.Code):
        return _lines(question.solution())
    code = f"```python\n{str(question.solution()).strip()}\n```"
    return f"{code}\n\n{_lines(question.after)}" if question.after else code


def _lines(text):
    """Plain text as HTML, a paragraph for each line; nothing in it is markup."""
    return "".join(f"<p>{html.escape(line)}</p>\n" for line in str(text).splitlines() if line.strip())
