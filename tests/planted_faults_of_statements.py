"""Faults in statements of a period and in times as staff have them, for `mutants` to plant."""

from tests.planted_faults import Mutant

PERIOD = "tests/office/test_statement_of_a_period.py::"
TIME = "tests/office/test_own_time.py::"
PAGE = "tests/office/test_account_page.py::"

MUTANTS = [
    Mutant(
        "the last day of a statement is left out",
        "Statement._read_rows",
        "find_start(self.last_day + timedelta(days=1), self.zone)",
        "find_start(self.last_day, self.zone)",
        f"{PERIOD}test_opening_and_lines_make_closing_in_every_zone",
    ),
    Mutant(
        "the opening balance is of days in UTC",
        "statements.read_statement",
        "at=find_start(first_day, zone) - MICROSECOND",
        "at=find_start(first_day, UTC) - MICROSECOND",
        f"{PERIOD}test_opening_and_lines_make_closing_in_every_zone",
    ),
    Mutant(
        "the closing balance is of days in UTC",
        "Statement.read_closing",
        "timedelta(days=1), self.zone)",
        "timedelta(days=1), UTC)",
        f"{PERIOD}test_opening_and_lines_make_closing_in_every_zone",
    ),
    Mutant(
        "the CSV is of one page",
        "statement._write_csv",
        "exports.write_statement(statement)",
        "list(exports.write_statement(statement))[:PAGE_SIZE]",
        f"{PERIOD}test_the_csv_has_the_lines_of_all_pages",
    ),
    Mutant(
        "a row at the edge of a page is on both",
        "Statement.read_page",
        "return lines[:size], Position",
        "return lines, Position",
        f"{PERIOD}test_the_csv_has_the_lines_of_all_pages",
    ),
    Mutant(
        "further pages know what the first one did not",
        "statement.describe",
        "_read_statement(account, asked, known_at)",
        "_read_statement(account, asked)",
        f"{PERIOD}test_what_is_recorded_meanwhile_is_on_none_of_the_further_pages",
    ),
    Mutant(
        "a further page of another account is taken",
        "statement._salt",
        "str(account.id), *map(str, asked.values())",
        "*map(str, asked.values())",
        f"{PERIOD}test_a_link_to_further_lines_is_of_its_account_and_period_only",
    ),
    Mutant(
        "an export leaves no line in the log",
        "statement.export",
        "    record(f",
        "    str(f",
        f"{PERIOD}test_formulas_are_escaped_and_the_export_is_in_the_log",
    ),
    Mutant(
        "moments are shown in UTC",
        "ledger.shift",
        "return localtime(instant)",
        "return instant",
        f"{TIME}test_moments_are_in_the_zone_of_who_reads_and_name_it",
    ),
    Mutant(
        "moments are read in UTC",
        "moments.read_moment",
        "return times.parse_time(text, zone)",
        "return times.parse_time(text)",
        f"{TIME}test_a_day_of_the_time_machine_is_the_whole_day_there",
    ),
    Mutant(
        "a day without a time is its beginning",
        "moments.read_moment",
        "if time_of_day not in END_OF_DAY:",
        'time_of_day = "00:00" if time_of_day in END_OF_DAY else time_of_day\n    if True:',
        f"{TIME}test_a_day_of_the_time_machine_is_the_whole_day_there",
    ),
    Mutant(
        "the chart shows the balance at its points alone",
        "chart._draw_turns",
        "if begin < effect[0] <= end",
        "if False",
        f"{PAGE}test_the_chart_shows_a_peak_between_its_points",
    ),
]
