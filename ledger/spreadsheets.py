"""What a spreadsheet makes of a text in a CSV."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what makes it compute


def escape_formula(text: str) -> str:
    """A text that a spreadsheet shows as it is."""
    return "'" + text if text.startswith(FORMULA) else text
