"""Passwords that RFC 4013 (SASLprep) has no form for, by the tables of RFC 3454."""

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def refusal(text: str) -> str | None:
    """Why a text cannot be a password, None if it can."""
    mapped = "".join(
        " " if stringprep.in_table_c12(letter) else letter
        for letter in text
        if not stringprep.in_table_b1(letter)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared:
        return "nothing of it is left after RFC 4013 (SASLprep)"
    if any(table(letter) for letter in prepared for table in _PROHIBITED):
        return "holds a control character or one that is newer than Unicode 3.2, such as an emoji"
    return _mixed_directions(prepared)


def _mixed_directions(text: str) -> str | None:
    """RFC 3454, section 6."""
    if not any(stringprep.in_table_d1(letter) for letter in text):
        return None
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if ends and not any(stringprep.in_table_d2(letter) for letter in text):
        return None
    return "mixes writing from right to left with writing from left to right"
