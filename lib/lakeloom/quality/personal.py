"""What looks personal: names of columns, and texts that are e-mail addresses, phone, card and account numbers.

A guess for people to confirm, and the reason for which a profile keeps no value of a column: where a name or
the content looks personal, or a contract's tag says so, no value is shown or recorded.

A card number has 13 to 19 digits and a right check digit (Luhn, ISO/IEC 7812-1); an account number is an IBAN
whose check digits are right (ISO 13616, modulus 97). By chance one number in ten passes the first test and
one in 97 the second, so a share of them decides, never a single value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from pyspark.sql import Column

# What a contract may say of a column; one with such a tag keeps its values to itself.
Tag = Literal["pii", "sensitive", "quasi_identifier"]
GUARDED_TAGS: frozenset[str] = frozenset(get_args(Tag))
# Words of a column's name → the tag to propose. A name of several words stands for their sequence.
_NAMES = {
    "pii": (
        "email", "e mail", "mail", "phone", "telephone", "mobile", "fax", "iban", "bic", "card number", "pan", "ssn",
        "passport", "licence number", "license number", "national id", "tax id", "bsn", "first name", "last name",
        "surname", "given name", "family name", "middle name", "full name", "maiden name", "street", "address",
        "ip", "ip address", "username", "user name", "login", "person name", "customer name", "contact name",
        "firstname", "lastname", "fullname", "account holder",
    ),
    "sensitive": ("salary", "income", "religion", "ethnicity", "diagnosis", "disability", "password", "secret"),
    "quasi_identifier": (
        "birth date", "birthdate", "birthday", "date of birth", "dob", "birth year", "age", "gender", "sex", "zip",
        "zip code", "zipcode", "postcode", "postal code", "nationality", "marital status", "latitude", "longitude",
    ),
}  # fmt: skip
# What a text can look like → the tag, and the words for people.
LOOKS = {
    "email": "e-mail addresses", "phone": "phone numbers", "card": "card numbers (right check digit)",
    "iban": "account numbers (IBAN)",
}  # fmt: skip
EMAIL = r"^[^\s@,;<>]+@[^\s@,;<>.]+(\.[^\s@,;<>.]+)+$"
# With a country's code or the signs of a written number, since plain digits are any number; and at least nine
# digits, since a day has eight.
PHONE = r"^(?=(?:\D*\d){9,15}\D*$)(\+\d|\(\d|0\d+[ /.-])[\d ()/.-]{5,18}\d$"
CARD = r"^\d(?:[ -]?\d){12,18}$"
IBAN = r"^[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}$"


def words(name: str) -> tuple[str, ...]:
    """Return the words of a column's name.

    Examples
    --------
    >>> words("homeAddress_2")
    ('home', 'address', '2')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return tuple(word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word)


def tag_of(name: str) -> str | None:
    """Return the tag that a column's name speaks for, None for a name like any other.

    Examples
    --------
    >>> tag_of("contact_email"), tag_of("zip"), tag_of("airport_name"), tag_of("page")
    ('pii', 'quasi_identifier', None, None)
    """
    own = words(name)
    for tag, names in _NAMES.items():
        for known in names:
            parts = tuple(known.split())
            if any(own[at : at + len(parts)] == parts for at in range(len(own) - len(parts) + 1)):
                return tag
    return None


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of those before it.

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def luhn_of(digits: Column) -> Column:
    """Return whether a text of digits ends in its check digit, as `luhn`."""
    from pyspark.sql import functions as F

    def counted(digit: Column, at: Column) -> Column:
        value = digit.cast("int") * (F.lit(1) + at % 2)
        return value - F.when(value > 9, 9).otherwise(0)

    values = F.transform(F.split(F.reverse(digits), ""), counted)
    return F.aggregate(values, F.lit(0), lambda total, each: total + each) % 10 == 0


def iban_of(text: Column) -> Column:
    """Return whether a text without spaces is an account number whose check digits are right."""
    from pyspark.sql import functions as F

    turned = F.split(F.concat(F.substring(text, 5, 100), F.substring(text, 1, 4)), "")

    def added(rest: Column, sign: Column) -> Column:
        # A letter stands for two digits, A for 10.
        value = F.ascii(sign)
        return F.when(value >= 65, (rest * 100 + value - 55) % 97).otherwise((rest * 10 + value - 48) % 97)

    return F.aggregate(turned, F.lit(0), added) == 1


def looks(text: Column) -> dict[str, Column]:
    """Return what each kind of content asks of a text: conditions, never NULL where the text is none."""
    from pyspark.sql import functions as F

    bare = F.regexp_replace(text, "[ -]", "")
    # The check digits are worked out only where the shape is right.
    return {
        "email": text.rlike(EMAIL),
        "phone": text.rlike(PHONE),
        "card": F.when(text.rlike(CARD), luhn_of(bare)).otherwise(F.lit(False)),
        "iban": F.when(text.rlike(IBAN), iban_of(bare)).otherwise(F.lit(False)),
    }
