"""XML by an XSD: rows that break it go to quarantine with the place and the rule; entities are refused."""

import pytest

from lakeloom.core.errors import ConfigError
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.inspection import Reading, inspect
from tests.sources.test_formats import landed, put

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="order"><xs:complexType>
    <xs:sequence>
      <xs:element name="id" type="xs:int"/>
      <xs:element name="sku" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
        <xs:pattern value="[A-Z]{2}[0-9]{3}"/></xs:restriction></xs:simpleType></xs:element>
    </xs:sequence>
    <xs:attribute name="day" type="xs:date" use="required"/>
  </xs:complexType></xs:element>
</xs:schema>"""

ROWS = """<orders>
  <order day="2024-01-01"><id>1</id><sku>AB123</sku></order>
  <order day="2024-01-02"><id>two</id></order>
  <order day="2024-01-03"><id>3</id><sku>secret</sku></order>
  <order><id>4</id></order>
  <order day="2024-01-05"><id>5</id></order>
  <order day="2024-01-06"><id>6</id><extra/></order>
</orders>"""


def test_rows_that_break_the_xsd_are_kept_with_place_and_rule_and_no_value(spark, tmp_path):
    (tmp_path / "order.xsd").write_text(XSD)
    put(tmp_path, "a.xml", ROWS)
    good, broken = landed(spark, tmp_path, format="xml", row_tag="order", schema="order.xsd", columns={"id": "int"})
    assert [(row["id"], row["sku"], row["attr_day"]) for row in good] == [
        (1, "AB123", "2024-01-01"),
        (5, None, "2024-01-05"),
    ]
    assert [row["reasons"] for row in broken] == [
        ["breaks the XSD at /order/id (cvc-datatype-valid-1-2-1)"],
        ["breaks the XSD at /order/sku (cvc-pattern-valid)"],
        ["breaks the XSD at /order (cvc-complex-type-4)"],
        ["breaks the XSD at /order/extra (element-content)"],
    ]
    assert "two" in broken[0]["raw"] and not any("secret" in reason for row in broken for reason in row["reasons"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<a", "it is no XSD (line 1)"), ("<a/>", "it is no XSD"),
        (XSD.replace('"order"', '"orders"'), "it declares no element order at its top; it declares orders"),
        (XSD.replace("xs:int", "xs:none"), "it is no XSD"),
    ],
)  # fmt: skip
def test_a_schema_that_is_none_is_a_coded_error(tmp_path, text, told):
    (tmp_path / "order.xsd").write_text(text)
    made = FilesConfig(kind="files", path="in/*", format="xml", row_tag="order", schema="order.xsd")
    with pytest.raises(ConfigError) as caught:
        made.reading_at(tmp_path)
    assert caught.value.code == "LL-CONF-004" and told in caught.value.message


LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">' + "".join(
    f'<!ENTITY {chr(99 + n)} "{"".join(f"&{chr(98 + n)};" * 10)}">' for n in range(8)
) + "]><r><row><a>&j;</a></row></r>"  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LAUGHS, "it declares entities, which are refused"),
        ('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><row><a>&x;</a></row></r>', "it declares entities, which are refused"),
        ('<!DOCTYPE r [<!ENTITY % x SYSTEM "file:///etc/passwd">%x;]><r><row><a>1</a></row></r>', "it declares entities, which are refused"),
        ('<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><r><row><a>1</a></row></r>', "it asks for a document type of elsewhere, which is refused"),
        ("<r><row><a>&none;</a></row></r>", "the XML is not well-formed (line 1)"),
        ("<!DOCTYPE r><r><row><a>&lt;&#x41;</a></row></r>", None),
    ],
)  # fmt: skip
def test_entities_are_refused_before_anything_is_expanded(tmp_path, text, problem):
    (tmp_path / "a.xml").write_text(text)
    assert inspect("a.xml", str(tmp_path / "a.xml"), Reading("xml", row_tag="row")).problem == problem
