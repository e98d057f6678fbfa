"""Objects as a sink: a table's rows as Parquet, CSV or JSON lines in a bucket or a mounted folder."""

from lakeloom.sinks.objects.config import ObjectsConfig as ObjectsConfig
from lakeloom.sinks.objects.sink import Objects as Objects
