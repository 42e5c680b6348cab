import stat

from ledger_project.secret_files import keep_first, keep_last


def require_private_and_alone(file):
    assert [(each, stat.S_IMODE(each.stat().st_mode)) for each in file.parent.iterdir()] == [(file, 0o600)]


def test_the_last_one_is_there_whole_or_not_at_all(tmp_path):
    file = tmp_path / "api_token"
    keep_last(file, "the first")
    with file.open() as opened:
        keep_last(file, "the second")
        assert opened.read() == "the first"
    assert file.read_text() == "the second"
    require_private_and_alone(file)


def test_the_first_one_stays(tmp_path):
    file = tmp_path / "secret_key"
    assert [keep_first(file, secret) for secret in ("the first", "the second")] == ["the first"] * 2
    assert file.read_text() == "the first"
    require_private_and_alone(file)
