import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.operations.machines import EMBEDDED
from tests.operations.world import World, world_of


@pytest.fixture(scope="session")
def templates():
    """Of each PostgreSQL a cluster with an empty ledger, made as docs/operations.md says, and its keys."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-operations-"))
    made = {}

    def find(binaries: Path) -> Path:
        if binaries not in made:
            with world_of("operations.md", binaries) as world:
                world.start()
                world.run("The first time", until="runs on")
                made[binaries] = world.keep(folder / str(len(made)))
        return made[binaries]

    yield find
    shutil.rmtree(folder)


@pytest.fixture
def open_world(templates):
    """A world for a page, with an empty ledger; its end comes after the test."""
    with ExitStack() as stack:

        def open_one(page: str, binaries: Path = EMBEDDED) -> World:
            world = stack.enter_context(world_of(page, binaries))
            world.begin_from(templates(binaries))
            return world

        yield open_one
