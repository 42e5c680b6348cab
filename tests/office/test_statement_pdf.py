"""The PDF of a statement, read back by another library."""

import io

from pypdf import PdfReader

from ledger.callers import Caller
from office.pages.accounts import statement as page
from tests.cast import AccountFactory, OrderFactory, day, deposit, transfer, withdraw
from tests.office.account_pages import find_address, read_text
from tests.office.answers import find_accesses
from tests.office.correcting import adjust
from tests.office.staff import make_staff
from tests.office.test_statement_of_a_period import QUERY, open_account
from transactions import posting


def read_pdf(answer):
    assert answer["Content-Type"] == "application/pdf"
    pdf = PdfReader(io.BytesIO(answer.getvalue()))
    return " ".join(" ".join(each.extract_text().split()) for each in pdf.pages), pdf


def test_the_pdf_says_whose_it_is_from_what_to_what(operations):
    account = open_account("Иван Сергеевич Петров", "сбережения")
    deposit(account, "1000", effective_at=day("2023-01-01"))
    deposit(account, "234.50", effective_at=day("2023-01-02"), reference="Ωμέγα & заказ 7")
    withdraw(account, "34", effective_at=day("2023-01-05"))
    text, pdf = read_pdf(operations.get(find_address(account), {**QUERY, "format": "pdf"}))
    for said in (
        "Customer: Иван Сергеевич Петров",
        f"Account: сбережения, USD, {account.id}",
        "Period: 2 Jan 2023 — 4 Jan 2023 (UTC)",
        "Opening balance: 1,000.00 USD",
        "Closing balance: 1,234.50 USD",
        "2 Jan 2023, 00:00 deposit Ωμέγα & заказ 7 +234.50 1,234.50",
    ):
        assert said in text.replace("\xa0", " "), (said, text)
    assert "34.00" not in text.replace("1,234.50", "")
    assert len(pdf.pages) == 1


def test_the_pdf_speaks_the_language_of_who_takes_it(support, account):
    deposit(account, "1234.50", effective_at=day("2023-01-03"))
    answer = support.get(find_address(account), {**QUERY, "format": "pdf"}, headers={"Accept-Language": "ru"})
    text, pdf = read_pdf(answer)
    assert "Входящий остаток: 0,00 USD" in text.replace("\xa0", " ")
    assert "Исходящий остаток: 1 234,50 USD" in text.replace("\xa0", " ")
    assert "03.01.2023 00:00 зачисление" in text
    assert pdf.root_object["/Lang"] == "ru"


def test_what_is_written_to_the_left_and_what_the_font_lacks_is_in_the_pdf(support):
    account = AccountFactory(name="محمد")
    for reference in ("דוד", "中文 😀", "x" * 200, "word " * 30 + "end"):
        deposit(account, "1", effective_at=day("2023-01-03"), reference=reference)
    text, _pdf = read_pdf(support.get(find_address(account), {**QUERY, "format": "pdf"}))
    assert "Closing balance: 4.00 USD" in text.replace("\xa0", " ")
    assert text.replace(" ", "").count("x" * 200) == 1  # nothing is cut


def test_a_long_pdf_has_heads_and_numbers_on_its_pages(support, account):
    orders = [OrderFactory(account=account, effective_at=day("2023-01-03")) for _ in range(150)]
    posting.post(orders, caller=Caller(account.user_id))
    _text, pdf = read_pdf(support.get(find_address(account), {**QUERY, "format": "pdf"}))
    texts = [each.extract_text() for each in pdf.pages]
    assert len(texts) > 2
    for number, text in enumerate(texts, 1):
        assert "Effective at" in text
        assert f"{number} / {len(texts)}" in text


def test_a_pdf_of_too_many_lines_is_refused_with_a_sentence(support, account, monkeypatch):
    for _number in range(4):
        deposit(account, "5", effective_at=day("2023-01-03"))
    monkeypatch.setattr(page, "PDF_LINES_MAX", 4)
    assert support.get(find_address(account), {**QUERY, "format": "pdf"}).status_code == 200
    monkeypatch.setattr(page, "PDF_LINES_MAX", 3)
    answer = support.get(find_address(account), {**QUERY, "format": "pdf"}, follow=True)
    assert "A PDF has at most 3 lines. Choose a shorter period, or take the CSV." in read_text(
        answer.content.decode()
    )
    assert len(find_accesses(action="EXPORT")) == 1


def test_the_pdf_says_what_a_line_belongs_to(support, account):
    other = open_account("Анна", "savings")
    deposit(account, "500")
    transfer(account, other, "20")
    transfer(other, account, "3")
    adjust(account, "7", make_staff("operations"))
    text, _pdf = read_pdf(support.get(find_address(account), {"show": "period", "format": "pdf"}))
    assert "transfer to Анна, savings" in text
    assert "transfer from Анна, savings" in text
    assert "correction" in text
