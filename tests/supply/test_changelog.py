"""What changes for people who use the ledger is told in the changelog, or CI fails."""

import shutil
import subprocess

import pytest

from tests.servers import PROJECT


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.run("git", "init", "--quiet", "--initial-branch=main", ".")

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)

    def commit(self, message, **files):
        """Commit these files; `a__b` is b in the folder a. An extension is said as `_md`, `_py`."""
        for name, text in files.items():
            name = name.replace("__", "/").replace("_", ".")
            write(self.folder / name, text)
        self.run("git", "add", ".")
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        self.run("git", *who, "commit", "--quiet", "--message", message).check_returncode()

    def check(self, *base):
        return self.run(".ci/changelog", *base)


FIRST = "# Changelog\n\n## Unreleased\n\n- One.\n\n## 0.1.0 - 2026-01-01\n\n- None.\n"
SECOND = FIRST.replace("- One.\n", "- One.\n- Two.\n")


@pytest.fixture
def repository(tmp_path):
    repository = Repository(tmp_path)
    write(tmp_path / ".ci" / "changelog", "")
    shutil.copy(PROJECT / ".ci" / "changelog", tmp_path / ".ci" / "changelog")
    repository.commit("Begin", CHANGELOG_md=FIRST, ledger__a_py="1")
    return repository


def test_a_change_that_is_not_told_fails_and_is_named(repository):
    repository.commit("Posting is faster", ledger__a_py="2")
    outcome = repository.check()
    assert outcome.returncode == 1
    assert "Posting is faster" in outcome.stderr


def test_a_change_that_is_told_passes(repository):
    repository.commit("Posting is faster", ledger__a_py="2", CHANGELOG_md=SECOND)
    assert repository.check().returncode == 0


def test_several_changes_are_told_together(repository):
    repository.commit("Posting is faster", ledger__a_py="2")
    repository.commit("So are balances", ledger__a_py="3")
    repository.commit("Say so", CHANGELOG_md=SECOND)
    assert repository.check().returncode == 0


@pytest.mark.parametrize("file", ["docs__a_md", "tests__a_py", "README_md", "Makefile", "benchmarks__a_py"])
def test_what_is_not_the_product_need_not_be_told(repository, file):
    repository.commit("Better words", **{file: "2"})
    assert repository.check().returncode == 0


def test_what_nobody_can_notice_says_so_in_its_message(repository):
    repository.commit("A better name\n\nChangelog: none", ledger__a_py="2")
    assert repository.check().returncode == 0


def test_a_word_on_an_older_release_is_not_one_on_this(repository):
    first = repository.run("git", "rev-parse", "HEAD").stdout.strip()
    repository.commit("Faster", ledger__a_py="2", CHANGELOG_md=FIRST.replace("None", "Nothing"))
    assert repository.check(first).returncode == 1


def test_a_branch_is_compared_with_where_it_began(repository):
    repository.run("git", "checkout", "--quiet", "-b", "branch")
    repository.commit("Faster", ledger__a_py="2")
    repository.run("git", "checkout", "--quiet", "main")
    repository.commit("Told", CHANGELOG_md=SECOND)
    repository.run("git", "checkout", "--quiet", "branch")
    assert repository.check("main").returncode == 1
    repository.commit("Say so", CHANGELOG_md=FIRST.replace("- One.\n", "- One.\n- Three.\n"))
    assert repository.check("main").returncode == 0


def test_two_branches_that_were_told_are_told_when_merged(repository):
    repository.run("git", "checkout", "--quiet", "-b", "branch")
    repository.commit("Faster", ledger__b_py="2", CHANGELOG_md=SECOND)
    repository.run("git", "checkout", "--quiet", "main")
    repository.commit("Safer", ledger__a_py="2", CHANGELOG_md=FIRST.replace("- One.\n", "- Zero.\n- One.\n"))
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    repository.run("git", *who, "merge", "--quiet", "--strategy-option=ours", "branch").check_returncode()
    assert repository.check().returncode == 0


def test_a_shallow_clone_passes(repository, tmp_path_factory):
    repository.commit("Posting is faster", ledger__a_py="2")
    clone = tmp_path_factory.mktemp("clone")
    command = ["git", "clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    check = subprocess.run([clone / ".ci" / "changelog"], capture_output=True)
    assert check.returncode == 0


def test_a_base_that_a_clone_does_not_know_is_said_and_passes(repository):
    repository.commit("Posting is faster", ledger__a_py="2")
    outcome = repository.check("origin/main")
    assert outcome.returncode == 0
    assert "does not know" in outcome.stdout
