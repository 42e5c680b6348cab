"""Writes the table of docs/proof.md. Run: python -m tests.tampering."""

from tests.tampering.page import PAGE, write_page

PAGE.write_text(write_page(PAGE.read_text()))
