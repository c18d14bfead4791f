"""Numbers whose last digit is computed from the others: ISBNs and credit cards."""

from __future__ import annotations

from typing import Final

from pilotfish.cel.regex import own_searcher

_isbn10: Final = own_searcher(r"^\d{9}[\dX]$")
_isbn13: Final = own_searcher(r"^\d{13}$")
# The ranges that card companies were given (ISO/IEC 7812), by the first digits.
_credit_card: Final = own_searcher(
    r"^(4\d{12}(\d{3})?|5[1-5]\d{14}|6(011|5\d\d)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}"
    r"|(2131|1800|35\d{3})\d{11})$"
)
_SEPARATORS: Final = dict.fromkeys(map(ord, " \t\n\f\r-"))


def is_isbn10(text: str) -> bool:
    """Whether a text is an ISBN of ten digits (ISO 2108), with dashes and blanks anywhere."""
    plain = text.translate(_SEPARATORS)
    if not _isbn10(plain):
        return False
    digits = [10 if char == "X" else int(char) for char in plain]
    return sum(place * digit for place, digit in enumerate(digits, 1)) % 11 == 0


def is_isbn13(text: str) -> bool:
    """Whether a text is an ISBN of thirteen digits, with dashes and blanks anywhere."""
    plain = text.translate(_SEPARATORS)
    if not _isbn13(plain):
        return False
    weighted = (int(char) * (1, 3)[place % 2] for place, char in enumerate(plain))
    return sum(weighted) % 10 == 0


def is_credit_card(text: str) -> bool:
    """Whether a text is a card number by Luhn's formula, with anything between its digits."""
    plain = "".join(char for char in text if "0" <= char <= "9")
    if not _credit_card(plain):
        return False
    doubled = (int(char) * (1, 2)[place % 2] for place, char in enumerate(reversed(plain)))
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0
