"""What every page is made by: cleaned facts, the package's own style and script, a template that escapes.

The content security policy of a page allows only the one script inside it, by its hash. Every text is data:
it is cleaned of control characters, masked against secrets and escaped.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateNotFound
from markupsafe import Markup

from lakeloom.core.secrets import mask

# control characters, and those that turn the direction of text, which can disguise a name
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def cleaned(value: Any) -> Any:
    """Return `value` with every text in it masked and without characters that can't be seen."""
    if isinstance(value, str):
        return _UNSEEN.sub("\ufffd", mask(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: cleaned(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    if isinstance(value, Mapping):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(cleaned(item) for item in value)
    return value


@cache
def asset(*names: str) -> Markup:
    """Return files of this package, one behind the other."""
    folder = resources.files("lakeloom.pages").joinpath("assets")
    return Markup("\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names))  # noqa: S704 - our own


def digest(script: str) -> str:
    """Return a script's hash as the content security policy writes it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class _Assets(BaseLoader):
    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Any]:
        """Return a template of this package by its name."""
        try:
            return str(asset(template)), None, None
        except OSError:
            raise TemplateNotFound(template) from None


@cache
def template(name: str) -> Template:
    """Return one of the package's templates."""
    options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return Environment(autoescape=True, loader=_Assets(), **options).get_template(name)
