"""How rounds become a table."""

import pytest

from benchmarks import chart, record, report
from benchmarks.figures import Figures, compare
from benchmarks.record import Record
from benchmarks.rows import ROWS

MACHINE = {
    "at": "2026-01-02T03:04:05+00:00",
    "commit": "abcdef0",
    "python": "Python 3.11",
    "cores": 2,
    "cpu": "a CPU",
    "load_before": 0.1,
}
SETTINGS = {"postgres": "18", "accounts": 10, "seconds": 1}


def make_round(price: float, rate: float = 100, p99: float = 10) -> dict[str, Figures]:
    """Ours at that price and rate beside a floor of 100 µs and 200 a second."""
    ours = Figures(rate, 1, p99, {"service": price - 20, "load": 20, "checkpointer": 1000})
    floor = Figures(200, 1, 5, {"backends": 60, "load": 40})
    return {"POST, 16": ours, "pgbench a, 16": floor}


def make_record(*rounds: dict[str, Figures]) -> Record:
    return Record(MACHINE, SETTINGS, rounds=list(rounds))


def find_line(text: str, start: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return line


def test_the_price_is_of_all_processes_but_what_postgresql_does_in_the_background():
    assert make_round(250)["POST, 16"].price == 250


@pytest.mark.parametrize(("by", "median"), [("cpu", 0.4), ("rate", 0.5), ("p99", 2)])
def test_rounds_are_compared_one_by_one_and_the_median_counts(by, median):
    rounds = [make_round(250), make_round(200, rate=200, p99=5), make_round(1000, rate=20, p99=50)]
    spread = compare(rounds, "POST, 16", "pgbench a, 16", by)
    assert spread.median == pytest.approx(median)
    assert spread.low < spread.median < spread.high


def test_a_row_says_whether_it_reached_what_it_must():
    reached, missed = (report.describe(make_record(make_round(price))) for price in (250, 400))
    assert find_line(reached, "POST, 16 connections").endswith("| yes |")
    assert find_line(missed, "POST, 16 connections").endswith("| no |")


def test_of_tails_less_is_better():
    assert find_line(report.describe(make_record(make_round(250, p99=10))), "p99 of").endswith("| yes |")
    assert find_line(report.describe(make_record(make_round(250, p99=50))), "p99 of").endswith("| no |")


def test_a_second_run_stands_beside_the_first():
    text = report.describe(make_record(make_round(250)), [make_record(make_round(500))])
    assert find_line(text, "POST, 16 connections").endswith("| yes | 0.20 (0.20–0.20) |")


def test_a_record_is_kept_with_all_its_rounds_and_never_over_another_one(tmp_path):
    first = make_record(make_round(250), make_round(200))
    files = [first.save(tmp_path), make_record(make_round(500)).save(tmp_path)]
    assert [file.name for file in files] == ["2026-01-02-abcdef0-1.json", "2026-01-02-abcdef0-2.json"]
    assert record.load(files[0]) == first


def test_the_chart_has_a_bar_for_each_row_that_was_run():
    bars = chart.collect_bars(make_record(make_round(250)))
    assert [bar.share for bar in bars] == [pytest.approx(0.4 / 0.32), pytest.approx(2)]
    assert chart.draw(bars).count("<rect") == 1 + len(bars)


def test_no_two_rows_have_one_name():
    assert len({row.name for row in ROWS}) == len(ROWS)
