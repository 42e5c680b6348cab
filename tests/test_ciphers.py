"""What is encrypted can be read by who has the key, for the purpose that it was encrypted for, unchanged."""

import pytest

from ledger.ciphers import Undecipherable, decrypt, encrypt

KEYS = ["the present key", "an older key"]


@pytest.mark.parametrize("plain", [b"", b"x", b"twenty bytes of text", b"\x00" * 1000])
def test_it_is_read_again_and_is_never_the_same_text(plain):
    texts = {encrypt("a purpose", plain, KEYS) for _ in range(10)}
    assert len(texts) == 10
    assert {decrypt("a purpose", text, KEYS) for text in texts} == {plain}
    assert len({len(text) for text in texts}) == 1


def test_an_older_key_still_reads_and_does_not_write():
    text = encrypt("a purpose", b"x", KEYS[1:])
    assert decrypt("a purpose", text, KEYS) == b"x"
    with pytest.raises(Undecipherable):
        decrypt("a purpose", text, KEYS[:1])
    assert decrypt("a purpose", encrypt("a purpose", b"x", KEYS), KEYS[:1]) == b"x"


def test_another_purpose_reads_nothing():
    with pytest.raises(Undecipherable):
        decrypt("another purpose", encrypt("a purpose", b"x", KEYS), KEYS)


def test_no_changed_text_is_read():
    text = encrypt("a purpose", b"x", KEYS)
    changed = [
        text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :] for place in range(len(text))
    ]
    for other in (
        *changed,
        "",
        "AQ==",
        text + "=",
        text + "AAAA",
        text[:-4],
        text + "\n",
        " " + text,
        "é",
        "\x00",
    ):
        with pytest.raises(Undecipherable):
            decrypt("a purpose", other, KEYS)
