"""An entry under ``clean:``: one verb and its arguments, ``{trim: [name]}``.

Every entry has that one form, ``{<verb>: <arguments>}``: the arguments as a mapping, or the verb's main
argument alone. A mistake is told at its own line, since the verb's arguments are checked by its own
``Config`` as soon as the entry is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    SerializeAsAny,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lakeloom.cleansing import VERBS
from lakeloom.cleansing.base import Arguments, Verb, refuse
from lakeloom.core.errors import CleansingError, LakeloomError
from lakeloom.core.kinds import pick


class VerbSpec(BaseModel):
    """A verb with its arguments.

    Attributes
    ----------
    verb : str
        A key of ``VERBS``, or a dotted name ``package.module:Class``.
    arguments : Arguments
        An instance of the verb's ``Config``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: str
    arguments: SerializeAsAny[Arguments]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, VerbSpec):
            return value
        if isinstance(value, str):
            value = {value: {}}
        if not isinstance(value, Mapping) or len(value) != 1:
            raise refuse("an entry is one verb with its arguments", "write - <verb>: {…}, such as - trim: [name]")
        ((verb, given),) = value.items()
        try:
            config = config_of(str(verb))
        except LakeloomError as error:
            raise PydanticCustomError(error.code, "{reason}", {"reason": error.message, "error": error}) from None
        # As a mapping of one key, so that pydantic's places say the verb as the document does.
        arguments = TypeAdapter(dict[str, config]).validate_python({str(verb): given})  # type: ignore[valid-type]  # a type made at run time
        return {"verb": str(verb), "arguments": arguments[str(verb)]}

    @model_serializer
    def _dump(self) -> dict[str, Any]:
        return {self.verb: self.arguments.model_dump(mode="json", by_alias=True)}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the form that an entry is written in, for editors."""
        verbs = {verb: {"anyOf": _forms(config_of(verb), handler)} for verb in VERBS}
        own: dict[str, Any] = {"^.+:.+$": {}}
        return {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": verbs, "patternProperties": own,
                "additionalProperties": False}  # fmt: skip

    @classmethod
    def within(cls, verb: str) -> type[BaseModel] | None:
        """Return the model of the arguments below the key `verb` of an entry; None where there is no such verb."""
        try:
            return config_of(verb)
        except LakeloomError:
            return None

    def made(self) -> Verb:
        """Return the verb, ready to be applied."""
        made: Verb = pick(self.verb, VERBS)(self.arguments)
        return made

    @property
    def title(self) -> str:
        """The verb's name as counts show it: of a dotted name the class."""
        return self.verb.rpartition(":")[2]


# What a verb's main argument may be where it stands alone.
_SHORT = [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]


def _forms(config: type[Arguments], handler: GetJsonSchemaHandler) -> list[dict[str, Any]]:
    """Return the forms in which a verb's arguments may be written."""
    table = [{"type": "object"}] if config.table else []
    return [handler(config.__pydantic_core_schema__), *table, *(_SHORT if config.short else ())]


@lru_cache(maxsize=256)
def config_of(verb: str) -> type[Arguments]:
    """Return the model of a verb's arguments; raises LL-CONF-020 and LL-CONF-021."""
    found: type[Arguments] = pick(verb, VERBS).Config
    return found


def verbs_of(entries: Iterable[Any]) -> list[VerbSpec]:
    """Return entries as the config or Python gives them as specs.

    Raises
    ------
    CleansingError
        LL-CLEAN-001 for the first mistake, with the entry's number and the argument.
    ConfigError
        LL-CONF-020 for an unknown verb, LL-CONF-021 for one that can't be imported.
    """
    found = []
    for number, entry in enumerate(entries):
        try:
            found.append(VerbSpec.model_validate(entry))
        except ValidationError as cause:
            error = cause.errors(include_url=False)[0]
            where = ".".join(["clean", str(number), *map(str, error["loc"])])
            coded = (error.get("ctx") or {}).get("error")
            if isinstance(coded, LakeloomError):
                coded.where = coded.where or where
                raise coded from None
            raise CleansingError("LL-CLEAN-001", f"{error['loc'][-1]}: {error['msg']}", where=where) from None
    return found
