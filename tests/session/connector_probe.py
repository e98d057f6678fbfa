"""What tests ask a Spark with Hadoop's connectors, which are no part of the test run's own: a process of its own.

Reads on standard input a JSON list of stores (address, stores:), writes one JSON document of what it saw for each.
"""

import json
import sys

from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.objects.translated import address
from lakeloom.session.spark import open_session


def created_once(spark, place):
    """Begin the same file twice, each only where none is; return how many could be ended."""
    jvm = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(f"{place}/created/once.json")
    system = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    streams, ended = [], 0
    for number in range(2):  # both begin before either ends
        try:
            stream = begun(system, path)
            stream.write(bytearray(f"{number}".encode()))
            streams.append(stream)
        except Exception as cause:  # Azure refuses at once, each connector in its own words
            print(f"refused: {type(cause).__name__}", file=sys.stderr)
    for stream in streams:
        try:
            stream.close()
            ended += 1
        except Exception as cause:
            print(f"refused: {type(cause).__name__}", file=sys.stderr)
    return ended


def begun(system, path):
    """Begin a file as the commits of each kind of store are begun."""
    if path.toUri().getScheme() != "s3a":
        return system.create(path, False)
    builder = system.createFile(path)
    builder.overwrite(False)
    builder.must("fs.option.create.conditional.overwrite", True)
    return builder.build()


def committed_once(spark, place):
    """Commit the same version of a log twice by our class; return how many commits were taken."""
    jvm, taken = spark._jvm, 0
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    log, path = jvm.lakeloom.ConditionalLogStore(conf), jvm.org.apache.hadoop.fs.Path(f"{place}/log/0.json")
    for _ in range(2):
        try:
            log.write(path, jvm.java.util.List.of("{}").iterator(), False, conf)
            taken += 1
        except Exception as cause:
            print(f"refused: {cause.java_exception.getClass().getName()}", file=sys.stderr)
    return taken


def written(spark, place):
    """Write, append and merge a Delta table; return its ids."""
    table = f"{place}/table"
    spark.range(3).write.format("delta").save(table)
    spark.range(3, 5).write.format("delta").mode("append").save(table)
    spark.sql(f"MERGE INTO delta.`{table}` t USING (SELECT 1L AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE")
    return sorted(row.id for row in spark.read.format("delta").load(table).collect())


def main():
    asked = json.load(sys.stdin)
    stores = [opening(Address.parse(f"{each['root']}/x"), each["stores"]) for each in asked]
    spark = open_session(stores=stores)
    told = {}
    for each, store in zip(asked, stores, strict=True):
        place = address(store, "probe")
        told[each["root"]] = {"ids": written(spark, place), "created": created_once(spark, place)}
        if place.startswith("s3a:"):
            told[each["root"]]["committed"] = committed_once(spark, place)
    settings = dict(spark.sparkContext.getConf().getAll())
    json.dump({"told": told, "settings": settings, "commands": commands()}, sys.stdout)
    spark.stop()


def commands():
    """Return the command lines of all processes of this machine, as everybody on it sees them."""
    import psutil

    return [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]


if __name__ == "__main__":
    main()
