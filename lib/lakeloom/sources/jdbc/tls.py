"""Encrypted connections: what drivers are told so that they accept no server that they can't verify.

Over a network the server's certificate and its host's name are verified, unless the source says ``tls: off`` or tells
its driver something else. PostgreSQL's and MySQL's drivers would by default take any certificate, or go on without
one; SQL Server's verifies by itself; Oracle's is told by its URL.

Source: the manuals of the drivers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from lakeloom.sources.jdbc.dialects import product

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|\[?::1\]?")
# The driver's word for how it verifies, and those for where: a file of certificates, or the JVM's own.
_POSTGRESQL = ("sslmode", "verify-full", "sslrootcert", {"sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory"})
_MARIADB = ("sslMode", "verify-full", "serverSslCert", dict[str, str]())


class Tls(BaseModel):
    """By what certificates a database's server is verified.

    Attributes
    ----------
    ca : str, optional
        A file (PEM) of the authorities to trust; those of the JVM without it. Executors read it at this path too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: str | None = None


def words(
    url: str, tls: Tls | Literal["off"] | None, told: Mapping[str, str], *, tunnelled: bool = False
) -> dict[str, str]:
    """Return the driver's properties for encryption.

    Parameters
    ----------
    url : str
        As the driver is asked.
    told : mapping
        What the source says itself: its word on encryption is left alone.
    tunnelled : bool
        Whether the URL names this end of a tunnel: the certificate is verified, and not the host's name.
    """
    mariadb = product(url) == "mysql" and "permitMysqlScheme" in url
    known = {"postgresql": _POSTGRESQL, "mysql": _MARIADB if mariadb else None}.get(product(url))
    given = {name.lower() for name in told} | {word.partition("=")[0].lower() for word in re.split(r"[?&;]", url)}
    if tls == "off" or known is None or known[0].lower() in given or (tls is None and _is_near(url)):
        return {}
    mode, verified, place, without = known
    ca = tls.ca if isinstance(tls, Tls) else None
    return {mode: "verify-ca" if tunnelled else verified} | ({place: ca} if ca else without)


def _is_near(url: str) -> bool:
    """Return whether all of a URL's hosts are this machine."""
    hosts = re.search(r"//([^/?;]*)", url)
    names = [re.sub(r":\d+$", "", each) for each in hosts[1].split(",")] if hosts else []
    return all(_LOOPBACK.fullmatch(name) or not name for name in names)
