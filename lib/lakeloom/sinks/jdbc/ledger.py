"""Which executions stand in a database: a table beside the rows, written in their own transaction.

``lakeloom_exports`` (export, target, epoch, run, table version, rows, time). Its key keeps an execution from being
committed twice, even by two processes at once. Old rows of it may be deleted by whoever likes to, but the newest of
each export.
"""

from __future__ import annotations

from typing import Any

from lakeloom.sinks.base import Shipment
from lakeloom.sources.jdbc.dialects import product

NAME = "lakeloom_exports"
_COLUMNS = "export_name, target_name, epoch_no, run_id, table_version, rows_out, rows_deleted, committed_at"


def made(url: str, ledger: str) -> str:
    """Return the statement that makes the ledger."""
    oracle = product(url) == "oracle"
    text, number = ("VARCHAR2" if oracle else "VARCHAR"), ("NUMBER(19)" if oracle else "BIGINT")
    return (
        f"CREATE TABLE {ledger} (export_name {text}(128) NOT NULL, target_name {text}(200) NOT NULL,"
        f" epoch_no {number} NOT NULL, run_id {text}(64) NOT NULL, table_version {number} NOT NULL,"
        f" rows_out {number} NOT NULL, rows_deleted {number} NOT NULL, committed_at {text}(40) NOT NULL,"
        " PRIMARY KEY (export_name, target_name, epoch_no, run_id))"
    )


def entry(connection: Any, ledger: str, shipment: Shipment, target: str) -> tuple[int, int] | None:
    """Return rows and deleted rows of an execution that stands there, None where it does not."""
    return _entry(connection, ledger, shipment, target, shipment.epoch, shipment.run)


def follows(connection: Any, ledger: str, shipment: Shipment, target: str) -> bool:
    """Return whether the execution before stands there."""
    return shipment.last is not None and _entry(connection, ledger, shipment, target, *shipment.last) is not None


def knows(connection: Any, ledger: str, shipment: Shipment, target: str) -> bool:
    """Return whether any execution of the export stands there."""
    sql = f"SELECT COUNT(*) FROM {ledger} WHERE export_name = ? AND target_name = ?"  # noqa: S608 - an identifier
    asked = connection.prepareStatement(sql)
    try:
        asked.setString(1, shipment.export)
        asked.setString(2, target)
        found = asked.executeQuery()
        found.next()
        return bool(found.getLong(1) > 0)
    finally:
        asked.close()


def enter(connection: Any, ledger: str, shipment: Shipment, target: str, rows: int, deleted: int) -> None:
    """Enter an execution; it stands with what else the transaction commits."""
    sql = f"INSERT INTO {ledger} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - identifiers
    asked = connection.prepareStatement(sql)
    try:
        for at, text in ((1, shipment.export), (2, target), (4, shipment.run), (8, shipment.clock)):
            asked.setString(at, text)
        for at, number in ((3, shipment.epoch), (5, shipment.version), (6, rows), (7, deleted)):
            asked.setLong(at, number)
        asked.executeUpdate()
    finally:
        asked.close()


def _entry(
    connection: Any, ledger: str, shipment: Shipment, target: str, epoch: int, run: str
) -> tuple[int, int] | None:
    sql = (
        f"SELECT rows_out, rows_deleted FROM {ledger} WHERE export_name = ? AND target_name = ?"  # noqa: S608
        " AND epoch_no = ? AND run_id = ?"
    )
    asked = connection.prepareStatement(sql)
    try:
        asked.setString(1, shipment.export)
        asked.setString(2, target)
        asked.setLong(3, epoch)
        asked.setString(4, run)
        found = asked.executeQuery()
        return (int(found.getLong(1)), int(found.getLong(2))) if found.next() else None
    finally:
        asked.close()
