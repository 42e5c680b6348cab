"""How many statements the code has: `python -m tests.statements [commit …]`, of the working tree without any.

Counted by `ast`, docstrings apart, so that neither longer lines nor fewer comments make it less.
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PRODUCT = ("accounts", "events", "ledger", "ledger_project", "office", "rest", "transactions", "api")


def list_sources(commit: str) -> Iterator[tuple[str, str]]:
    """Each Python file's path and text, of the commit or, for "", of the working tree."""
    listing = ["ls-tree", "-r", "--name-only", commit] if commit else ["ls-files"]
    for path in ask_git(*listing).splitlines():
        if path.endswith(".py") and (commit or (PROJECT / path).exists()):
            yield path, ask_git("show", f"{commit}:{path}") if commit else (PROJECT / path).read_text()


def ask_git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def count_statements(text: str) -> tuple[int, int]:
    """The statements, and the docstrings among what else stands there."""
    nodes = list(ast.walk(ast.parse(text)))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = sum(isinstance(node, documented) and ast.get_docstring(node) is not None for node in nodes)
    return sum(isinstance(node, ast.stmt) for node in nodes) - docstrings, docstrings


def main(commits: list[str]) -> None:
    for commit in commits or [""]:
        counts: Counter[str] = Counter()
        for path, text in list_sources(commit):
            top = path.partition("/")[0]
            kind = "product" if top in PRODUCT else top.removesuffix(".py")
            kind = "migrations" if "/migrations/" in path else kind
            statements, docstrings = count_statements(text)
            counts[kind] += statements
            counts[f"{kind}, docstrings"] += docstrings
        figures = ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items()))
        sys.stdout.write(f"{commit or 'now'}: {figures}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
