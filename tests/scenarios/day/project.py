"""The project of the day: every channel to bronze, all orders by key to silver, takings to gold, and out again."""

import json

from lakeloom.session.settings import jars_home

_SILVER = """\
select cast(token as string) as token, cast(id as string) as id, cast(rev as int) as rev, '{name}' as channel,
  cast(hour as int) as hour, cast(amount as decimal(12,2)) as amount, _position
from bronze.{name}"""


def write(home, places):
    """Write the project under `home`; return its ``conf`` folder."""
    conf = home / "conf" / "day"
    conf.mkdir(parents=True)
    jars = sorted((jars_home() / "test").glob("*.jar"))
    drivers = ",".join(str(jar) for jar in jars if jar.name.startswith(("postgresql", "mariadb", "sqlite")))
    _say(
        home / "conf" / "base.yml",
        {
            "project": "day",
            "root": places.root.said,
            "retries": 1,
            "spark": {"spark.jars": drivers},
            "stores": places.stores,
        },
    )
    sources = {name: each.source | {"timeout": "40 seconds"} for name, each in places.channels.items()}
    _say(conf / "sources.yml", {"sources": sources})
    _say(conf / "tables.yml", {"tables": tables(places.channels)})
    _say(conf / "exports.yml", {"exports": exports(places)})
    return home / "conf"


def tables(names):
    """Return silver.orders, of whatever channels there are, and gold.takings."""
    parts = [_SILVER.format(name=name) for name in names]
    return {
        "silver.orders": {
            "from": {f"bronze.{name}": "new" for name in names},
            "sql": "\nunion all\n".join(parts),
            "keys": ["id"],
            "write": {"mode": "merge", "sequence_by": "rev", "change_feed": True},
            "columns": {
                "token": "string", "id": "string", "rev": "int", "channel": "string", "hour": "int",
                "amount": "decimal(12,2)",
            },
        },
        "gold.takings": {
            "from": {"silver.orders": "whole"},
            "sql": "select channel, hour, count(*) as orders, cast(sum(amount) as decimal(14,2)) as amount "
            "from silver.orders group by channel, hour",
            "columns": {"channel": "string", "hour": "int", "orders": "bigint", "amount": "decimal(14,2)"},
        },
    }  # fmt: skip


def exports(places):
    """Return what goes out: takings to one cloud, raw orders to another, orders by key into a database."""
    url = f"jdbc:postgresql://127.0.0.1:{places.lines.ports['postgresql']}/postgres"
    to = {
        "kind": "jdbc", "url": url, "user": "loom", "password": "${secret:shop/secret}", "tls": "off",
        "table": "shipped", "create": True, "types": {"id": "varchar(40)"}, "mode": "upsert", "keys": ["id"],
    }  # fmt: skip
    return {
        "takings": {"from": "gold.takings", "to": f"{places.outlets['s3'][0]}/takings", "format": "csv"},
        "raw": {
            "from": "bronze.desk", "mode": "new", "format": "json", "columns": ["token"],
            "to": f"{places.outlets['azure'][0]}/raw",
        },
        "shipped": {"from": "silver.orders", "mode": "changes", "columns": ["id", "rev", "amount"], "to": to},
    }  # fmt: skip


def _say(file, told):
    file.write_text(json.dumps(told, indent=1))
