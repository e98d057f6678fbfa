"""Before anything is changed: what is wrong, what would run, and how far a change would reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.api.branching import Branching

if TYPE_CHECKING:
    from lakeloom.core.findings import Finding
    from lakeloom.flow.cases import CaseResult
    from lakeloom.flow.planning import Plan
    from lakeloom.flow.radius import Radius


class Planning(Branching):
    """What `Branching` does, and what is asked before a run."""

    def check(self, *, allow_breaking: bool = False) -> list[Finding]:
        """Return every mistake in the config, and what of it this machine can't run; no Spark is started.

        Parameters
        ----------
        allow_breaking : bool
            Whether what would break published tables (LL-TABLE-011) is left out; it is looked for where there is no
            other mistake.
        """
        from lakeloom.flow import contracts
        from lakeloom.project.cases import read as read_cases
        from lakeloom.project.check import check

        project, findings = check(self.raw, self._schemas())
        findings = [*findings, *read_cases(self.raw, project)[1]]
        return sorted(findings if findings or allow_breaking else contracts.findings(self.raw, project))

    def test(self, *select: str) -> list[CaseResult]:
        """Run the project's tests: rows given to a table's SQL or function, and what must come out.

        They stand in ``conf/<project>/tests/*.yml`` and touch no table of the storage root.

        Parameters
        ----------
        select : str
            Tables, names of tests, or globs of either; all without any.

        Returns
        -------
        list of CaseResult
            ``passed``, and as text the difference of a test that failed.

        Raises
        ------
        ConfigError
            All findings of `check`, those of the tests among them; LL-TEST-002 where no test is selected.
        """
        from lakeloom.core.findings import FindingsError
        from lakeloom.flow.cases import run_cases
        from lakeloom.project.cases import chosen
        from lakeloom.project.cases import read as read_cases

        cases, findings = read_cases(self.raw, self.project)
        if findings:
            raise FindingsError(findings)
        return list(run_cases(self.project, chosen(cases, select), self.spark()))

    def plan(self, *select: str, full_refresh: bool = False) -> Plan:
        """Return what `run` with the same arguments would do and why; nothing is started or written.

        Returns
        -------
        Plan
            A list of steps, and as ``radius`` how far what was changed reaches.

        Raises
        ------
        ConfigError
            All findings of `check`, but what would break published tables.
        RunError
            LL-RUN-001 for a pattern that selects nothing.
        """
        from lakeloom.flow.planning import Plan, plan

        steps = plan(self.project, select, full_refresh=full_refresh)
        return Plan(steps, self.radius(*select))

    def radius(self, *select: str) -> Radius:
        """Return how far the changes of code, config and schema reach that no run has made yet; no Spark is started.

        Parameters
        ----------
        select : str
            As for `run`.

        Returns
        -------
        Radius
            ``changes`` by column, what is ``reached`` and how, ``reports``, what is built anew (``rebuild``) and what
            that took the last time, and what is ``breaking``.

        Raises
        ------
        As `plan`.
        """
        from lakeloom.flow.radius import radius

        return radius(self.project, select)
