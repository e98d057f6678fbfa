"""``databricks:`` in the config: targets, clusters, rights and mail of the bundle. No host, no secret stands in it.

The workspace's address comes from ``DATABRICKS_HOST`` or a profile, because a bundle can't take it from a
variable; secrets are named as ``${secret:scope/key}`` and become references to secret scopes.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lakeloom.tables.words import Strict


def _volume(path: str) -> str:
    if not re.fullmatch(r"/Volumes/[\w-]+/[\w-]+/[\w-]+(/[\w.-]+)*", path) or ".." in path:
        raise ValueError(f"'{path}' is no path in a volume: /Volumes/<catalog>/<schema>/<volume>, and folders below it")
    return path


def _wheel(path: str) -> str:
    if not path.endswith(".whl"):
        raise ValueError(f"'{path}' is no wheel: a path in the bundle or in a volume that ends with .whl is")
    return path


Volume = Annotated[str, AfterValidator(_volume)]
Name = Annotated[str, Field(pattern=r"^[\w-]+$")]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class Cluster(Strict):
    """A job cluster.

    Attributes
    ----------
    runtime : str
        Key of a Databricks runtime, which brings Spark and Delta, and with ``-ml-`` in it torch and MLflow.
    node : str
        The cloud's name of the machines.
    workers : int
        Machines beside the driver's; 0: the driver does the work.
    libraries : tuple of str
        What the steps on it need beside the runtime and lakeloom, as pip writes it: ``hyperopt==0.3.0``.
    """

    runtime: str
    node: str
    workers: int = Field(default=2, ge=0, le=1000)
    libraries: tuple[str, ...] = ()


class Target(Strict):
    """Where the bundle is deployed.

    Attributes
    ----------
    mode : str, optional
        ``development`` (named after who deploys, schedules paused) or ``production``.
    catalog : str
        The Unity Catalog that names without a catalog belong to.
    root : str
        The storage root, in a volume: ``/Volumes/<catalog>/<schema>/<volume>/…``.
    node, gpu_node, workers, gpu_workers : optional
        Other than the clusters'.
    path : str, optional
        The workspace folder that the bundle's files go to; production wants one that is not a person's.
    run_as : str, optional
        Application id of the service principal that the job runs as.
    """

    mode: Literal["development", "production"] | None = None
    default: bool = False
    catalog: Name
    root: Volume
    node: str | None = None
    gpu_node: str | None = None
    workers: int | None = Field(default=None, ge=0, le=1000)
    gpu_workers: int | None = Field(default=None, ge=0, le=1000)
    path: str | None = Field(default=None, pattern=r"^/Workspace/")
    run_as: Name | None = None

    @model_validator(mode="after")
    def _root_in_catalog(self) -> Target:
        if self.root.split("/")[2] != self.catalog:
            raise ValueError(f"root lies in the catalog {self.root.split('/')[2]}, the target's is {self.catalog}")
        return self


class Permission(Strict):
    """A right on the job, of a group or a service principal."""

    level: Literal["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"]
    group: str | None = None
    service_principal: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Permission:
        if (self.group is None) == (self.service_principal is None):
            raise ValueError("name either group or service_principal")
        return self


class Mail(Strict):
    """Who is written to when a run starts, ends well or fails."""

    on_start: tuple[Address, ...] = ()
    on_success: tuple[Address, ...] = ()
    on_failure: tuple[Address, ...] = ()


class Databricks(Strict):
    """What the bundle is made of beside the graph.

    Attributes
    ----------
    cluster : Cluster
        Runs every step without a cluster of its own.
    gpu : Cluster, optional
        Runs the steps that train, tune and score; without it the cluster's runtime must bring torch and MLflow.
    environment : mapping
        Variables of the clusters, for the config's ``${env:NAME}``; ``${var.catalog}`` and ``${var.root}`` are
        the target's.
    permissions : tuple of Permission
    email : Mail
    wheel : str, optional
        lakeloom's wheel, in a volume or in the bundle; by default it is built from the checkout's ``setup.py``.
    targets : mapping
        Name to target; exactly one is the default.
    """

    cluster: Cluster
    gpu: Cluster | None = None
    environment: dict[Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")], str] = {}
    permissions: tuple[Permission, ...] = ()
    email: Mail = Mail()
    wheel: Annotated[str, AfterValidator(_wheel)] | None = None
    targets: dict[Name, Target] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_default(self) -> Databricks:
        if sum(target.default for target in self.targets.values()) != 1:
            raise ValueError("exactly one target is the default: write default: true there")
        return self
