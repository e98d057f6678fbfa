"""Pages of a listing, read by the C parser: botocore's own takes most of a listing's time, a date at a time.

It is registered where botocore lets an answer be parsed before it does so itself; where it has no such event, botocore
parses all. What comes out is the same (`tests/objects/test_s3_pages.py` lists through both).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.etree import ElementTree

EVENT = "before-parse.s3.ListObjectsV2"


def parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the objects of a page out of its body, and leave the rest of it to botocore."""
    if response_dict.get("status_code") != 200 or not response_dict.get("body"):
        return
    try:
        page = ElementTree.fromstring(response_dict["body"])  # noqa: S314  as botocore does: what the store says
        space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
        entries = page.findall(f"{space}Contents")
        found = [_entry(entry, space) for entry in entries]
    except (ElementTree.ParseError, ValueError, KeyError):  # botocore says what is wrong with it
        return
    for entry in entries:
        page.remove(entry)
    if found:
        customized_response_dict["Contents"] = found
        response_dict["body"] = ElementTree.tostring(page)


def _entry(entry: ElementTree.Element, space: str) -> dict[str, Any]:
    text = {part.tag[len(space) :]: part.text or "" for part in entry}
    changed = datetime.fromisoformat(text["LastModified"])
    if changed.tzinfo is None:
        raise ValueError("a time without a zone")
    return {"Key": text["Key"], "ETag": text["ETag"], "Size": int(text["Size"]), "LastModified": changed}
