"""How a database quotes a name, by the product in its JDBC URL.

Source: the databases' manuals; the default is standard SQL's.
"""

from __future__ import annotations

# Product in the URL → what stands before and after a name; a closing one inside the name is doubled.
_QUOTES = {
    "mysql": ("`", "`"),
    "mariadb": ("`", "`"),
    "databricks": ("`", "`"),
    "sqlserver": ("[", "]"),
}
_STANDARD = ('"', '"')


def quote_identifier(url: str, name: str) -> str:
    """Return `name` as an identifier of the database at `url`.

    Examples
    --------
    >>> quote_identifier("jdbc:postgresql://db/fleet", "tail"), quote_identifier("jdbc:mariadb://db/fleet", "ta`il")
    ('"tail"', '`ta``il`')
    """
    product = url.removeprefix("jdbc:").partition(":")[0]
    before, after = _QUOTES.get(product, _STANDARD)
    return before + name.replace(after, after * 2) + after
