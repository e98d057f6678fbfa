"""What the tables should hold after the month, computed in plain Python of what was told: no Spark, no lakeloom."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

CENT = Decimal("0.01")
DAY = timedelta(days=1)
DELAY = timedelta(hours=3)
# What a scanner's reading takes the place of, though it is less sure.
OLD = timedelta(days=4)


def statements(told):
    """Return what the bank told, as it came: nothing is replaced."""
    return [{name: str(value) for name, value in row.items()} for row in told]


def orders(told, mended, customers):
    """Return each order as it was told last, without those that break a rule or can't be read.

    `mended`: order → what people said that its columns are; `customers`: all that there ever were.
    """
    found = {}
    for row in told:
        row = row | mended.get(int(row["order_id"]), {})
        read = _order(row)
        if read and read["customer"] in customers and 0 <= read["amount"] <= 5000:
            found[read["order_id"]] = read
    return list(found.values())


def _order(row):
    try:
        at = row["ordered_at"]
        form = "%d.%m.%Y %H:%M" if "." in at else "%Y-%m-%d %H:%M"
        return {
            "order_id": int(row["order_id"]), "customer": row["customer"], "sku": row["sku"].strip().lower(),
            "pieces": int(row["pieces"]), "amount": Decimal(row["amount"]).quantize(CENT),
            "ordered_at": datetime.strptime(at, form).replace(tzinfo=UTC), "coupon": row.get("coupon") or None,
        }  # fmt: skip
    except (ValueError, InvalidOperation):
        return None


def days(orders, people):
    """Return orders and their amount by day and city; `people`: those that there are now."""
    found = {}
    for order in orders:
        person = people.get(order["customer"])
        key = (order["ordered_at"].date(), person["city"] if person else "gone")
        count, amount = found.get(key, (0, Decimal(0)))
        found[key] = (count + 1, amount + order["amount"])
    return [{"day": d, "city": c, "orders": n, "amount": amount} for (d, c), (n, amount) in found.items()]


def payments(told):
    """Return each day's newest statement."""
    newest = {row["day"]: row["told"] for row in sorted(told, key=lambda row: row["told"])}
    return [
        {"order_id": row["order_id"], "day": date.fromisoformat(row["day"]), "paid": Decimal(row["paid"]).quantize(CENT),
         "told": date.fromisoformat(row["told"])}
        for row in told if newest[row["day"]] == row["told"]
    ]  # fmt: skip


def prices(events):
    """Return what the supplier's newest changes leave, under the names that there are at last."""
    found = {}
    for event in sorted(events, key=lambda event: event["at"]):
        if event["op"] == "D":
            found.pop(event["sku"], None)
        elif event["op"] in "IU" and event["price"].replace(".", "").isdigit():
            found[event["sku"]] = {
                "sku": event["sku"], "at": _time(event["at"]), "price": Decimal(event["price"]).quantize(CENT),
                "title": event["title"], "colour": event["colour"], "brand": event["maker"],
            }  # fmt: skip
    return list(found.values())


def labels(told):
    """Return what stands of the scanner's readings, and under ``_rescued`` what of them no column holds."""
    found = {}
    for row in told:
        price = Decimal(row["price"]) if row["price"] != "?" else None
        if price is not None and not 1 <= price <= 500:
            continue
        strange = {name: row[name] for name in ("price", "unit") if name in row and (name != "price" or price is None)}
        seen = _time(row["seen"])
        read = {"sku": row["sku"], "price": price, "title": row["title"], "shelf": row["shelf"],
                "colour": row["colour"] or None, "sure": row["sure"], "seen": seen, "first_seen": seen,
                "_rescued": json.dumps(strange, separators=(",", ":")) if strange else None}  # fmt: skip
        old = found.get(row["sku"])
        if old is None:
            found[row["sku"]] = read
        elif read["sure"] >= old["sure"] or read["seen"] > old["seen"] + OLD:
            found[row["sku"]] = read | {"first_seen": old["first_seen"]}
    return list(found.values())


def catalogue(prices, labels):
    """Return (one row a thing, what was not taken) of the supplier's prices and the scanner's labels."""
    rows, losers = [], []
    supplier = {row["sku"]: row | {"shelf": None, "since": row["at"]} for row in prices}
    scanner = {row["sku"]: row | {"since": row["seen"]} for row in labels}
    for sku in sorted({*supplier, *scanner}):
        said = {name: side[sku] for name, side in (("supplier", supplier), ("scanner", scanner)) if sku in side}
        full = {name: sum(row[each] is not None for each in COMPARED) for name, row in said.items()}
        ranks = {
            "price": lambda name: said[name]["since"],  # noqa: B023 - taken before the next round
            "title": lambda name: name == "supplier",
            "shelf": lambda name: name == "scanner",
            "colour": lambda name: (full[name], name == "supplier"),  # noqa: B023
        }
        row = {"sku": sku}
        for column in COMPARED:
            says = [name for name in said if said[name][column] is not None]
            winner = max(says, key=ranks[column], default=None)
            row[column] = said[winner][column] if winner else None
            losers += [
                {"sku": sku, "column": column, "winner": winner, "winning": str(row[column]), "loser": name,
                 "losing": str(said[name][column])}
                for name in says if said[name][column] != row[column]
            ]  # fmt: skip
        rows.append(row)
    return rows, losers


COMPARED = ("price", "title", "shelf", "colour")


def visits(told):
    """Return the visits by door and day, of the days that are over by the newest count less the delay."""
    times = [(door, _time(at)) for door, at in told]
    over = max(at for _, at in times) - DELAY
    found = {}
    for door, at in times:
        began = at.replace(hour=0, minute=0, second=0)
        if began + DAY <= over:
            found[door, began] = found.get((door, began), 0) + 1
    return [{"door": door, "began": began, "visits": count} for (door, began), count in found.items()]


def _time(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
