"""The effects: the runner, what each kind of step does, recovery, and the record of a run."""
