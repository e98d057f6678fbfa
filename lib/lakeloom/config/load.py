"""The files of a project in one environment → one merged, marked document.

``conf/base.yml``, then ``conf/<env>.yml``, then the project's own ``conf/<project>/*.yml`` (in the
order of their names), then ``conf/<project>/<env>/*.yml``. Relative paths start at the home: the
folder that holds ``conf/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lakeloom.config.overlays import merge
from lakeloom.config.yaml import Document, load
from lakeloom.core.errors import ConfigError
from lakeloom.core.kinds import nearest


@dataclass(frozen=True)
class Raw:
    """A project's merged config: where it lies, in which environment, and the marked document."""

    home: Path
    folder: Path
    project: str
    env: str
    document: Document


def read(conf: str | Path | None = None, env: str | None = None) -> Raw:
    """Read a project's config.

    Parameters
    ----------
    conf : str or Path, optional
        The project's folder (``conf/flights``) or the ``conf`` folder; by default ``conf`` under the
        current folder. In a ``conf`` folder, base.yml's ``project:`` says which project.
    env : str, optional
        The environment: an overlay ``conf/<env>.yml``. ``local`` by default.

    Raises
    ------
    ConfigError
        LL-CONF-007 where the folder, the project or the environment does not exist.
    """
    given = Path(conf) if conf is not None else Path("conf")
    if not given.is_dir():
        raise ConfigError("LL-CONF-007", f"the folder {given} does not exist", fix="name a folder with --conf")
    top = given if (given / "base.yml").is_file() else given.parent
    base_file = top / "base.yml"
    home = top.resolve().parent
    document = load(base_file, _shown(base_file, home)) if base_file.is_file() else Document()
    project = given.name if given != top else str(document.data.get("project", ""))
    folder = given if given != top else top / project
    if not project or not folder.is_dir():
        projects = sorted(entry.name for entry in top.iterdir() if entry.is_dir() and entry.name != "prices")
        raise ConfigError(
            "LL-CONF-007",
            f"project '{project}' does not exist; the projects are {', '.join(projects) or 'none'}",
            where=_shown(base_file, home),
            fix=f"use '{nearest(project, projects)}'" if nearest(project, projects) else "set project: in base.yml",
        )
    env = env or str(document.data.get("env", "local"))
    overlay = top / f"{env}.yml"
    if overlay.is_file():
        document = merge(document, load(overlay, _shown(overlay, home)))
    elif env != "local":
        known = sorted(file.stem for file in top.glob("*.yml") if file.stem != "base")
        raise ConfigError(
            "LL-CONF-007",
            f"environment '{env}' does not exist; the environments are {', '.join(known) or 'local'}",
            where=_shown(top, home),
            fix="name one with --env",
        )
    for file in [*sorted(folder.glob("*.yml")), *sorted((folder / env).glob("*.yml"))]:
        document = merge(document, load(file, _shown(file, home)))
    return Raw(home, folder.resolve(), project, env, document)


def _shown(path: Path, home: Path) -> str:
    resolved = path.resolve()
    return str(resolved.relative_to(home)) if resolved.is_relative_to(home) else str(path)
