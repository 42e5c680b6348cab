"""A release is made in a clone, from what is committed and checked; a rehearsal changes nothing."""

import os
import re
import shutil
import subprocess

import pytest

from ledger import __version__
from rest.document import SPECTACULAR_SETTINGS
from tests.servers import PROJECT

# What make does for a release is tried elsewhere, or takes as long as CI: here it tells that it was asked to.
MAKEFILE = """
check test mutants:
\techo $@ >>$(MADE)
\ttest -z "$(FAILING)"
sbom:
\techo "{} $$(cat ledger/__init__.py | grep version)" >$(SBOM)
image:
\techo image of $$(git log -1 --format=%s) >>$(MADE)
"""
DEPLOYED = ("deploy/compose.yaml", "deploy/kubernetes/base/kustomization.yaml")
TOLD = "- Posting is faster.\n- Balances too:\n  # not a heading"


class Repository:
    def __init__(self, folder):
        self.folder = folder / "ledger"
        self.made = folder / "made"
        (self.folder / "ledger").mkdir(parents=True)
        (self.folder / ".ci").mkdir()
        (self.folder / "deploy/kubernetes/base").mkdir(parents=True)
        (self.folder / "docs").mkdir()
        for file in (".ci/release", "ledger/__init__.py", "docs/openapi.json", ".gitignore", *DEPLOYED):
            shutil.copy(PROJECT / file, self.folder / file)
        (self.folder / "Makefile").write_text(MAKEFILE)
        (self.folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## Unreleased\n\n{TOLD}\n")
        self.git("init", "--quiet", "--initial-branch=main", ".")
        self.git("add", ".")
        self.commit("Begin")

    def git(self, *arguments):
        command = ["git", *arguments]
        outcome = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return outcome.stdout.strip()

    def commit(self, message):
        self.git(
            "-c", "user.name=a", "-c", "user.email=a@x", "commit", "--quiet", "--all", "--message", message
        )

    def release(self, version, **environment):
        environment |= {"MADE": str(self.made), "PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return subprocess.run(
            [".ci/release", version], cwd=self.folder, env=environment, capture_output=True, text=True
        )

    def read_state(self):
        return self.git("rev-parse", "HEAD"), self.git("tag"), self.git("status", "--porcelain")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_a_release_is_a_commit_and_a_tag_with_the_changelogs_words(repository):
    outcome = repository.release("0.9.0")
    assert outcome.returncode == 0, outcome.stderr
    assert repository.git("log", "--format=%s") == "Release 0.9.0\nBegin"
    assert repository.git("rev-parse", "v0.9.0^{commit}") == repository.git("rev-parse", "HEAD")
    assert repository.git("tag", "--list", "--format=%(contents)", "v0.9.0") == TOLD
    assert repository.git("status", "--porcelain") == ""
    for file in DEPLOYED:
        assert re.search(
            r"ledger:0\.9\.0|ledger\n    newTag: 0\.9\.0\n", (repository.folder / file).read_text()
        )
    assert '__version__ = "0.9.0"  # of' in (repository.folder / "ledger" / "__init__.py").read_text()
    changelog = (repository.folder / "CHANGELOG.md").read_text()
    assert re.fullmatch(rf"# Changelog\n\n## Unreleased\n\n## 0\.9\.0 - [\d-]{{10}}\n\n{TOLD}\n", changelog)
    assert repository.made.read_text() == "check\ntest\nimage of Release 0.9.0\n"


def test_what_is_published_lies_in_a_folder(repository):
    repository.release("0.9.0")
    published = repository.folder / "dist" / "0.9.0"
    assert {path.name for path in published.iterdir()} == {"notes.md", "ledger-0.9.0.cdx.json"}
    assert (published / "notes.md").read_text().strip() == TOLD
    assert '"0.9.0"' in (published / "ledger-0.9.0.cdx.json").read_text()


def test_a_rehearsal_does_all_of_it_and_changes_nothing(repository):
    before = repository.read_state()
    outcome = repository.release("0.9.0", DRY_RUN="1", CHECKS="check test mutants")
    assert outcome.returncode == 0, outcome.stderr
    assert repository.read_state() == before
    assert repository.made.read_text() == "check\ntest\nmutants\nimage of Release 0.9.0\n"
    assert (repository.folder / "dist" / "0.9.0" / "notes.md").exists()


def test_the_next_release_has_only_what_is_new(repository):
    repository.release("0.9.0").check_returncode()
    changelog = repository.folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased\n", "## Unreleased\n\n- Faster.\n"))
    repository.commit("Faster")
    repository.release("0.9.1").check_returncode()
    assert repository.git("tag", "--list", "--format=%(contents)", "v0.9.1") == "- Faster."


def dirty(repository):
    (repository.folder / "Makefile").write_text("")


def tagged(repository):
    repository.git("tag", "v0.9.0")


def newer(repository):
    repository.git("tag", "v0.10.0")


def nothing_new(repository):
    changelog = repository.folder / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## Unreleased\n\n## 0.8.0 - 2026-01-01\n\n- Old.\n")
    repository.commit("Nothing to tell")


REFUSED = {
    "a version of two parts": ("0.9", None, {}, "Say which"),
    "no version": ("", None, {}, "Say which"),
    "changes that are not committed": ("0.9.0", dirty, {}, "not committed"),
    "a version that is there": ("0.9.0", tagged, {}, "v0.9.0 exists already"),
    "a version before the newest": ("0.9.0", newer, {}, "0.10.0 is newer"),
    "nothing to tell": ("0.9.0", nothing_new, {}, 'nothing under "Unreleased"'),
    "a check that fails": ("0.9.0", None, {"FAILING": "1"}, "Error 1"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_refused_and_nothing_changes(repository, kind):
    version, prepare, environment, said = REFUSED[kind]
    if prepare:
        prepare(repository)
    before = repository.read_state()
    outcome = repository.release(version, **environment)
    assert outcome.returncode != 0
    assert said in outcome.stderr
    assert repository.read_state() == before


def test_the_version_is_stated_once():
    assert (PROJECT / "CHANGELOG.md").read_text().startswith("# Changelog\n\n## Unreleased\n")
    assert SPECTACULAR_SETTINGS["VERSION"] == __version__
    assert 'dynamic = ["version"]' in (PROJECT / "pyproject.toml").read_text()
    listed = subprocess.run(
        ["git", "grep", "--name-only", "--fixed-strings", f'"{__version__}"', "--", ":!tests"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert listed.stdout.split() == ["docs/openapi.json", "ledger/__init__.py"]  # the first is made
