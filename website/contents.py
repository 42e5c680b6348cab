"""The order of the pages: chapters with their pages, which every page must be in."""

Contents = dict[str, list[str]]

ENGLISH: Contents = {
    "": ["quick-start"],
    "Concepts": ["words", "exactly-once", "architecture"],
    "Guides": [
        "guides/holds",
        "guides/thresholds",
        "guides/webhooks",
        "moving-in",
        "files",
        "in-process",
        "clients",
        "guides/testing",
        "recipes",
    ],
    "Reference": ["reference/index", "errors", "notifications", "commands", "changelog"],
    "For support": ["back-office"],
    "Operations": [
        "deploying",
        "operations",
        "operations/serving",
        "operations/database",
        "operations/keys",
        "operations/people",
        "operations/backups",
        "operations/standby",
        "operations/upgrades",
        "alarms",
        "capacity",
        "profiling",
        "security",
    ],
    "Inside": [
        "proof",
        "quality",
        "performance",
        "benchmarks/RESULTS",
        "benchmarks/GROWTH",
        "benchmarks/OFFICE",
        "contributing",
        "releasing",
        "decisions",
    ],
}
RUSSIAN: Contents = {"": ["quick-start", "back-office"]}
# What is not below docs/ and yet a page, and where it is read.
MORE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    **{f"benchmarks/{name}.md": f"benchmarks/{name}.md" for name in ("RESULTS", "GROWTH", "OFFICE")},
}


def write_toctree(pages: list[str], caption: str = "") -> str:
    """The pages that follow this one, for the sidebar."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *pages, "```", ""])


def write_all(contents: Contents) -> str:
    return "\n" + "\n".join(write_toctree(pages, caption) for caption, pages in contents.items())
