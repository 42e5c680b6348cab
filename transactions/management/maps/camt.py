"""Account statements of ISO 20022, camt.053 of any version, as rows with these columns."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from transactions.management.tables import FileBroken, Line

# `amount` has a sign; `account` is the IBAN, or another number; `reference` the bank's own, `end_to_end_id`
# that of who paid; `balance` stands at the first and the last booked entry of a statement.
COLUMNS = (
    "account",
    "currency",
    "amount",
    "date",
    "value_date",
    "status",
    "reference",
    "end_to_end_id",
    "name",
    "text",
    "balance",
)
BOOKED = "BOOK"
OPENINGS, CLOSINGS = ("OPBD", "PRCD"), ("CLBD",)


def split_camt(file: IO[bytes]) -> Iterator[Line]:
    """The entries of all statements, numbered as they stand. Raises `FileBroken`.

    A document type is refused: nothing outside is read, and nothing is unfolded.
    """
    number, is_camt = 0, False
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            is_camt = is_camt or (event == "start" and _name(element) == "BkToCstmrStmt")
            if event == "end" and _name(element) == "Stmt" and is_camt:
                entries = _read_statement(element, number + 1)
                number += len(entries)
                yield from entries
                element.clear()
    except DefusedXmlException:
        detail = "The file has a document type, which no statement needs."
        raise FileBroken(number + 1, "", "malformed_xml", detail) from None
    except (ParseError, ValueError, LookupError) as error:
        raise FileBroken(
            number + 1, "", "malformed_xml", f"From here on the file is not XML: {error}."
        ) from None
    if not is_camt:
        raise FileBroken(1, "", "malformed_xml", "The file has no account statement (BkToCstmrStmt).")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _find(element: Element, *paths: str) -> str:
    """The text at the first of these paths that has one; whatever the namespace, which is the version."""
    for path in paths:
        found = element.find("/".join(f"{{*}}{name}" for name in path.split("/")))
        if found is not None and (text := "".join(found.itertext()).strip()):
            return text
    return ""


def _read_statement(statement: Element, first: int) -> list[Line]:
    account = _find(statement, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    entries = [
        (number, _read_entry(entry, account))
        for number, entry in enumerate(statement.findall("{*}Ntry"), start=first)
    ]
    booked = [each for each in entries if each[1]["status"] == BOOKED]
    if booked:
        # In the order in which they take effect, within a day as they stand.
        (_, earliest), (number, latest) = (
            pick(booked, key=lambda each: (each[1]["date"], each[0])) for pick in (min, max)
        )
        opening, closing = (_find_balance(statement, kinds, first) for kinds in (OPENINGS, CLOSINGS))
        if closing is not None:
            latest["balance"] = f"{closing:f}"
        if opening is not None and (len(booked) > 1 or closing is None):
            earliest["balance"] = f"{opening + _read_amount(earliest['amount'], first):f}"
        elif opening is not None and closing is not None:
            _require_sum(opening, earliest, closing, number)
    return [(number, partial(dict, entry)) for number, entry in entries]


def _require_sum(opening: Decimal, entry: dict[str, Any], closing: Decimal, number: int) -> None:
    if opening + _read_amount(entry["amount"], number) != closing:
        detail = f"The statement begins with {opening}, has this entry, and ends with {closing}."
        raise FileBroken(number, "balance", "balance_differs", detail)


def _read_entry(entry: Element, account: str) -> dict[str, Any]:
    amount = entry.find("{*}Amt")
    detail = "NtryDtls/TxDtls"
    sign = "-" if _find(entry, "CdtDbtInd") == "DBIT" else ""
    other = "Cdtr" if sign else "Dbtr"
    texts = ["".join(each.itertext()) for each in entry.findall("{*}NtryDtls/{*}TxDtls/{*}RmtInf/{*}Ustrd")]
    return {
        "account": account,
        "currency": "" if amount is None else amount.get("Ccy", ""),
        "amount": sign + _find(entry, "Amt"),
        "date": _find(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")[:10],
        "value_date": _find(entry, "ValDt/Dt", "ValDt/DtTm")[:10],
        "status": _find(entry, "Sts/Cd", "Sts/Prtry", "Sts"),
        "reference": _find(entry, "AcctSvcrRef", "NtryRef", f"{detail}/Refs/AcctSvcrRef"),
        "end_to_end_id": _find(entry, f"{detail}/Refs/EndToEndId"),
        "name": _find(entry, f"{detail}/RltdPties/{other}/Nm", f"{detail}/RltdPties/{other}/Pty/Nm"),
        "text": " ".join(texts) or _find(entry, "AddtlNtryInf", f"{detail}/AddtlTxInf"),
    }


def _find_balance(statement: Element, kinds: tuple[str, ...], line: int) -> Decimal | None:
    for kind in kinds:
        for balance in statement.findall("{*}Bal"):
            if _find(balance, "Tp/CdOrPrtry/Cd") == kind:
                amount = _read_amount(_find(balance, "Amt"), line)
                return -amount if _find(balance, "CdtDbtInd") == "DBIT" else amount
    return None


def _read_amount(text: str, line: int) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise FileBroken(line, "balance", "amount_invalid", "Not a decimal amount like 100.00.") from None
