"""The statement of a period as a PDF, for the customer. Letters of most alphabets, right to left too."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos

from accounts.models import Account
from office.templatetags.ledger import money, shift
from transactions.models import Transaction
from transactions.reading.history import Line
from transactions.reading.statements import Statement

FONT = Path(__file__).parents[2] / "fonts" / "DejaVuSans.ttf"
SIZE, SIZE_OF_TITLE, HEIGHT = 7.5, 14, 4.2  # points, points, millimetres
WIDTHS = (32, 50, 44, 32, 32)  # millimetres: of A4 what its margins leave
ALIGNS = (Align.L, Align.L, Align.L, Align.R, Align.R)
RIGHT_TO_LEFT = {"R", "AL"}


class Paper(FPDF):
    """Pages that repeat the heads of the columns and have their numbers."""

    def __init__(self, heads: Sequence[str]) -> None:
        super().__init__(format="A4")
        self.heads = heads
        self.add_font("sans", fname=FONT)
        self.set_margin(10)
        self.set_auto_page_break(True, margin=14)
        self.set_font("sans", size=SIZE)

    def header(self) -> None:
        if self.page_no() > 1:
            self.write_heads()

    def footer(self) -> None:
        self.set_y(-10)
        self.cell(0, HEIGHT, f"{self.page_no()} / {{nb}}", align=Align.R)

    def write_heads(self) -> None:
        self.write_row(self.heads)
        self.line(self.l_margin, self.y, self.w - self.r_margin, self.y)
        self.ln(1)

    def write_row(self, texts: Sequence[str]) -> None:
        """A row of the table, on one page, as high as its longest cell."""
        cells = [self._wrap(width, text) for width, text in zip(WIDTHS, texts, strict=True)]
        height = HEIGHT * max(map(len, cells))
        if self.will_page_break(height):
            self.add_page()
        left, top = self.l_margin, self.y
        for width, lines, align in zip(WIDTHS, cells, ALIGNS, strict=True):
            for number, text in enumerate(lines):
                self.set_xy(left, top + number * HEIGHT)
                self._write(width, text, align)
            left += width
        self.set_xy(self.l_margin, top + height)

    def write_line(self, text: str, size: float = SIZE) -> None:
        self.set_font_size(size)
        self.set_text_shaping(_is_right_to_left(text))
        self.multi_cell(0, size * 0.6, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_shaping(False)
        self.set_font_size(SIZE)

    def _wrap(self, width: float, text: str) -> list[str]:
        if self.get_string_width(text) <= width - 2 * self.c_margin:
            return [text]  # most are; to look for the ends of lines takes long
        found = self.multi_cell(
            width, HEIGHT, text, align=Align.L, dry_run=True, output=MethodReturnValue.LINES
        )
        return list(found)  # type: ignore[arg-type]

    def _write(self, width: float, text: str, align: Align) -> None:
        # Letters that join and run from the right take five times as long to set.
        self.set_text_shaping(_is_right_to_left(text))
        self.cell(width, HEIGHT, text, align=align)
        self.set_text_shaping(False)


def _is_right_to_left(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(each) in RIGHT_TO_LEFT for each in text)


def write(account: Account, statement: Statement, lines: Sequence[Line], *, closing: Decimal) -> bytes:
    """The file. Moments are in the zone of the statement, words and numbers in the reader's language."""
    with timezone.override(statement.zone):
        paper = Paper(
            [
                *(gettext("Effective at"), gettext("What it is"), gettext("Reference")),
                *(gettext("Amount"), gettext("Balance")),
            ]
        )
        paper.set_title(gettext("Statement of a period"))
        paper.set_lang(get_language() or "en")
        paper.add_page()
        paper.write_line(gettext("Statement of a period"), SIZE_OF_TITLE)
        for text in _write_facts(account, statement, closing):
            paper.write_line(text, SIZE + 1)
        paper.ln(3)
        paper.write_heads()
        opening = statement.opening.balance
        paper.write_row(["", gettext("Opening balance"), "", "", _write_amount(opening, account)])
        for line in lines:
            paper.write_row(
                [
                    date_format(shift(line.row.effective_at), "SHORT_DATETIME_FORMAT"),
                    ", ".join([line.row.get_type_display(), *_list_marks(line.row)]),
                    line.row.reference,
                    _write_amount(line.row.signed_amount, account, "+"),
                    _write_amount(line.balance, account),
                ]
            )
        paper.write_row(["", gettext("Closing balance"), "", "", _write_amount(closing, account)])
        return bytes(paper.output())


def _write_amount(amount: Decimal, account: Account, sign: str = "") -> str:
    """Without the currency, which the page names once; with a plus where `sign` is one."""
    text = money(amount, account.currency).removesuffix(f"\N{NO-BREAK SPACE}{account.currency}")
    return sign + text if amount > 0 else text


def _list_marks(row: Transaction) -> Iterator[str]:
    """What the labels of the page say of the row."""
    if row.late:
        yield gettext("late")
    if row.reverses:
        yield gettext("reversal")
    if row.reversed_by:
        yield gettext("reversed in part") if row.left else gettext("reversed")
    is_out = row.type == Transaction.Type.WITHDRAW
    if row.claim:
        yield gettext("collected for a claim") if is_out else gettext("paid by a claim")
    if row.hold:
        yield gettext("captured into an account") if row.transfer else gettext("hold")
    if row.correction:
        yield gettext("correction")
    if row.other:
        text = gettext("transfer to %(account)s") if is_out else gettext("transfer from %(account)s")
        yield text % {"account": f"{row.other.user}, {row.other.name}"}


def _write_facts(account: Account, statement: Statement, closing: Decimal) -> Iterator[str]:
    days = (date_format(each, "DATE_FORMAT") for each in (statement.first_day, statement.last_day))
    known_at: datetime = statement.opening.known_at
    for label, text in (
        (gettext("Customer"), str(account.user)),
        (gettext("Account"), f"{account.name}, {account.currency}, {account.id}"),
        (gettext("Period"), f"{' — '.join(days)} ({statement.zone})"),
        (gettext("Opening balance"), money(statement.opening.balance, account.currency)),
        (gettext("Closing balance"), money(closing, account.currency)),
        (gettext("As known at"), date_format(shift(known_at), "DATETIME_FORMAT")),
    ):
        yield f"{label}: {text}"
