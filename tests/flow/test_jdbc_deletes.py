"""Rows that are deleted in a database's table go from silver, and history keeps them."""

from tests.sources.jdbc.test_source import DRIVER, Database

TABLES = """\
  silver.planes:
    from: {bronze.planes: new}
    changes: generic
    keys: [tailnum]
    write: {mode: merge, sequence_by: _position}
    columns: {tailnum: string, seats: int}
  silver.planes_over_time:
    from: {bronze.planes: new}
    changes: generic
    keys: [tailnum]
    write: {mode: scd2, sequence_by: _position}
    columns: {tailnum: string, seats: int}
"""


def test_what_is_gone_at_the_source_goes_from_silver_and_comes_back(shop, spark, tmp_path):
    database = Database(spark, tmp_path / "fleet")
    database.run(
        "CREATE TABLE planes (tailnum VARCHAR(10), seats INT)",
        "INSERT INTO planes VALUES ('N1', 1), ('N2', 2), ('N3', NULL)",
    )
    (shop.conf / "shop" / "sources.yml").open("a").write(
        f"  planes: {{kind: jdbc, url: '{database.url}', driver: {DRIVER}, table: planes, keys: [tailnum],"
        " deletes: op}\n"
    )
    (shop.conf / "shop" / "tables.yml").open("a").write(TABLES)

    def landed():
        return shop.run("+silver.planes", "+silver.planes_over_time").status

    assert landed() == "done"
    database.run("DELETE FROM planes WHERE tailnum = 'N1'", "UPDATE planes SET seats = 20 WHERE tailnum = 'N2'")
    assert landed() == "done"
    assert shop.rows("silver.planes", "tailnum", "seats") == [("N2", 20), ("N3", None)]
    database.run("INSERT INTO planes VALUES ('N1', 1)")
    assert landed() == "done"
    assert sorted(shop.rows("silver.planes", "tailnum")) == [("N1",), ("N2",), ("N3",)]
    versions = [row[0] for row in shop.rows("silver.planes_over_time", "tailnum")]
    assert sorted(versions) == ["N1", "N1", "N2", "N2", "N3"]
    assert [row[0] for row in sorted(shop.rows("bronze.planes", "op"))] == ["delete", *["insert"] * 4, "update"]
    again = shop.run("+silver.planes")
    assert {step.name: step.status for step in again.steps}["bronze.planes"] == "skipped"
