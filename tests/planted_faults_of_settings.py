"""Faults for `mutants` to plant where settings are read and checked, each with the test that must see it."""

from tests.planted_faults import Mutant

SETTINGS = "tests/ledger_project/test_settings.py::"
OF_ACCOUNTS = "tests/ledger_project/test_currencies_of_accounts.py::"
TAKEN_OUT = "tests/test_currency_taken_out.py::"

MUTANTS = [
    Mutant(
        "a flag that is none is off",
        "Environment.flag",
        "FLAGS[text.lower()]",
        "FLAGS.get(text.lower(), False)",
        SETTINGS + "test_a_wrong_setting_is_named_in_one_line",
    ),
    Mutant(
        "wrong settings start",
        "Environment.refuse",
        "if self.problems:",
        "if self.problems and not self.values:",
        SETTINGS + "test_every_command_names_what_is_wrong_without_a_traceback",
    ),
    Mutant(
        "two keys are one",
        "check_keys",
        "if key in seen:",
        "if key in seen and len(key) < KEY_BYTES_MIN:",
        SETTINGS + "test_a_wrong_setting_is_named_in_one_line",
    ),
    Mutant(
        "off the list is unknown",
        "accounts.currencies.find_decimals",
        "        return iso\n",
        "        return iso if currency in settings.CURRENCIES else None\n",
        TAKEN_OUT + "test_what_was_taken_out_is_posted_held_filtered_and_shown",
    ),
    Mutant(
        "off the list is open",
        "require_open",
        "if currency not in settings.CURRENCIES and currency not in settings.CUSTOM_CURRENCIES:",
        "if False:",
        TAKEN_OUT + "test_only_a_new_account_is_refused",
    ),
    Mutant(
        "a repetition is refused once its currency is closed",
        "operations.create_account",
        "    currencies.get_decimals(currency)\n",
        "    currencies.require_open(currency)\n",
        TAKEN_OUT + "test_only_a_new_account_is_refused",
    ),
    Mutant(
        "unknown decimals are none",
        "currencies.find_format",
        "write_exactly if decimals is None",
        '"{:.0f}".format if decimals is None',
        TAKEN_OUT + "test_a_unit_that_is_declared_no_more_is_read_exactly_and_never_moved",
    ),
    Mutant(
        "eighteen decimals are kept",
        "accounts.currencies.find_decimals",
        "declared if 0 <= declared <= DECIMALS_MAX and",
        "declared if",
        OF_ACCOUNTS + "test_decimals_that_cannot_be_are_none",
    ),
    Mutant(
        "only the first accounts are looked at",
        "_find_finer",
        "        if count < ACCOUNTS_AT_ONCE:\n",
        "        if count:\n",
        OF_ACCOUNTS + "test_every_account_is_looked_at_however_few_at_once",
    ),
]
