"""What the `type` of a problem leads to: a page for each code, and one for all, out of docs/errors.md."""

import re
from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from rest.codes import STATUS

SECTION = re.compile(r"^#{1,3} (?=\S)", re.M)
TABLE = re.compile(r"(?:^\|.*\n)+", re.M)
TITLE = re.compile(r"<(h[23])>(.*?)<")
ROW = re.compile(r"<tr>\s*<td><code>([a-z_]+)<")


@require_safe
def show_errors(request: HttpRequest) -> HttpResponse:
    """Every code of a problem."""
    html = TITLE.sub(lambda title: f'<{title[1]} id="{slugify(title[2])}">{title[2]}<', _to_html(_read()))
    html = ROW.sub(r'<tr id="\1"><td><code>\1<', html)
    return render(request, "errors.html", {"title": "Errors", "text": mark_safe(html)})  # noqa: S308


@require_safe
def show_error(request: HttpRequest, code: str) -> HttpResponse:
    """One of them: its row of the table, and what is said of all that stand in it."""
    text = find_texts().get(code)
    if text is None:
        raise Http404
    return render(request, "errors.html", {"title": code, "text": text})


@cache
def find_texts() -> dict[str, SafeString]:
    """What the pages say, by code."""
    found: dict[str, SafeString] = {}
    for section in SECTION.split(_read()):
        title, _, body = section.partition("\n")
        for head, rule, *rows in map(str.splitlines, TABLE.findall(body)):
            for row in rows:
                code = row.removeprefix("| `").partition("`")[0]
                if code in STATUS:
                    text = f"# {code}\n\n{head}\n{rule}\n{row}\n\n## {title}\n\n{TABLE.sub('', body)}"
                    html = _to_html(text.replace("](#", "](/errors#"))
                    found[code] = mark_safe(html)  # noqa: S308
    return found


def _read() -> str:
    return (settings.BASE_DIR / "docs" / "errors.md").read_text()


def _to_html(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
