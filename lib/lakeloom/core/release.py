"""The release of this package: what a driver compares its workers' with."""

RELEASE = "0.1.0"
