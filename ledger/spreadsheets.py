"""What a spreadsheet makes of a text in a CSV."""


def escape_formula(text: str) -> str:
    """The text, with a quote before what would make a spreadsheet compute it."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
