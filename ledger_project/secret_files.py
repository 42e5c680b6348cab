"""Secrets in files that only their owner may read. Whoever finds such a file finds it whole."""

import contextlib
import os
from pathlib import Path


def keep_first(file: Path, secret: str) -> str:
    """Keep the secret unless there is one, and return the one kept: of several writers the first wins."""
    draft = _write_draft(file, secret)
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    return file.read_text()


def keep_last(file: Path, secret: str) -> None:
    """Keep the secret instead of what the file held."""
    _write_draft(file, secret).replace(file)


def _write_draft(file: Path, secret: str) -> Path:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secret)
    return draft
