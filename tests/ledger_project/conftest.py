import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_project.database.embedded import EmbeddedPostgres
from tests.servers import CHEAP, Make


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody can reach, with a short path (pytest's own is neither)."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def make(place: Path) -> Iterator[Make]:
    made: list[EmbeddedPostgres] = []

    def make_postgres(folder: Path | None = None, **settings: str) -> EmbeddedPostgres:
        postgres = EmbeddedPostgres(folder or place / "postgres", settings=CHEAP | settings)
        made.append(postgres)
        return postgres

    yield make_postgres
    for postgres in made:
        postgres.stop()
    for postgres in made:
        location = postgres.folder / "location"
        if location.is_symlink():
            shutil.rmtree(location.resolve(), ignore_errors=True)
        if postgres.socket_folder.parent == Path("/tmp"):
            shutil.rmtree(postgres.socket_folder, ignore_errors=True)


@pytest.fixture
def started(make: Make) -> EmbeddedPostgres:
    """One that runs."""
    postgres = make()
    postgres.start()
    return postgres
