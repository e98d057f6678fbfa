"""How lakeloom is packaged: the core, and extras for what not everybody needs.

Ranges here are for users of the package; what the project itself is built and tested with is
pinned in ``environment/requirements.lock``.
"""

import os
import re
from pathlib import Path

from setuptools import find_packages, setup

CORE = [
    # Those that lakeloom.session.jars knows Delta's jars for.
    "pyspark>=4.0.1,<4.3",
    "delta-spark>=4.4,<4.5",
    "deltalake>=1.6,<2",
    "pyarrow>=14",
    "numpy>=1.26",
    "pandas>=2.2",
    "pydantic>=2.10,<3",
    "ruamel.yaml>=0.18",
    "typer>=0.15",
    "rich>=13",
    "sqlglot>=26",
    "jinja2>=3.1",
    "psutil>=6",
    "cronsim>=2.5,<3",
]
EXTRAS = {
    "train": [
        "torch>=2.6",
        "scikit-learn>=1.6",
        "scipy>=1.14",
        "mlflow>=3.4,<3.18",
        "matplotlib>=3.9",
        "cloudpickle>=3",
    ],
    "horovod": ["horovod==0.28.1", "torch>=2.6"],
    "petastorm": ["petastorm>=0.13.1"],
    "tune": ["hyperopt>=0.3"],
    "quality": ["great-expectations>=1.3,<2"],
    "aws": ["boto3>=1.35"],
    "gcp": ["google-cloud-storage>=3"],
    "azure": ["azure-storage-blob>=12.24", "azure-identity>=1.19"],
    # bcrypt opens keys that have a passphrase.
    "sftp": ["asyncssh>=2.21", "bcrypt>=4"],
    # Tables of PostgreSQL as Arrow; without it they come through the JDBC driver.
    "postgresql": ["adbc-driver-postgresql>=1.13,<2"],
    # Avro, Excel, XSD and Protobuf as formats of files.
    "formats": ["fastavro>=1.9", "openpyxl>=3.1", "lxml>=5", "protobuf>=5"],
    "keyring": ["keyring>=25"],
    "databricks": ["databricks-bundles>=1,<2"],
    # As pyspark's own extra of that name asks for them.
    "connect": ["grpcio>=1.67", "grpcio-status>=1.67", "googleapis-common-protos>=1.65"],
}
# What a platform's runtime (Databricks) brings in versions of its own: with LAKELOOM_WHEEL=runtime the wheel asks
# for none of it, so that installing it there changes no Spark, Delta, MLflow or torch.
RUNTIME = {
    *("pyspark", "delta-spark", "pyarrow", "numpy", "pandas", "mlflow"),
    *("torch", "scikit-learn", "scipy", "matplotlib", "cloudpickle", "great-expectations"),
}
RELEASE = (Path(__file__).parent / "lib" / "lakeloom" / "core" / "release.py").read_text(encoding="utf-8")
VERSION = RELEASE.rpartition('RELEASE = "')[2].partition('"')[0]
if os.environ.get("LAKELOOM_WHEEL") == "runtime":
    CORE, *lists = (
        [each for each in names if re.split(r"[<>=]", each)[0] not in RUNTIME] for names in (CORE, *EXTRAS.values())
    )
    EXTRAS = dict(zip(EXTRAS, lists, strict=True))
    VERSION += "+runtime"

setup(
    name="lakeloom",
    version=VERSION,
    description="One declarative project takes data from any source to a tuned, traceable model",
    python_requires=">=3.11",
    package_dir={"": "lib"},
    packages=find_packages("lib"),
    package_data={
        "lakeloom": ["py.typed"],
        "lakeloom.pages": ["assets/*"],
        "lakeloom.session": ["log4j2.properties", "connectors.lock", "java/*.java"],
    },
    install_requires=CORE,
    extras_require=EXTRAS | {"all": sorted({name for names in EXTRAS.values() for name in names})},
    entry_points={"console_scripts": ["lakeloom = lakeloom.cli:main", "lakeloom-step = lakeloom.cli.job:step"]},
)
