"""What the OpenAPI document says of a text under a rule of `ledger.text`: what a pattern can, and words."""

from typing import Any

from ledger.text import CONTROL, DIRECTION, INVISIBLE, WHITE_SPACE, Rule

_BMP_INVISIBLE = INVISIBLE.partition(r"\U")[0]  # the patterns of JSON Schema have another form for the rest
_NEVER = {Rule.IDENTIFIER: CONTROL + DIRECTION + _BMP_INVISIBLE, Rule.NAME: CONTROL + DIRECTION}
HELP = {
    Rule.IDENTIFIER: "Exact, in NFC; white space at its ends and what cannot be seen are refused",
    Rule.NAME: "Kept as it is; white space at its ends and what cannot be seen are refused",
    Rule.NOTE: "It may have several lines; control characters and what cannot be seen at all are refused",
}


def describe(rule: Rule | None, help_text: str = "") -> tuple[dict[str, Any], str]:
    """What the schema of a text under the rule has besides its lengths, and its description."""
    words = ". ".join(filter(None, [help_text, HELP[rule] if rule else ""]))
    if rule not in _NEVER:
        return {}, words
    inner, outer = f"[^{_NEVER[rule]}]", f"[^{_NEVER[rule]}{WHITE_SPACE}]"
    return {"pattern": f"^({outer}({inner}*{outer})?)?$"}, words
