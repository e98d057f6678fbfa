"""The catalogue of error codes: what each means and what to do. ``docs/errors.md`` is made from it."""

from __future__ import annotations

CODES: dict[str, str] = {
    # config: read without Spark, reported together
    "LL-CONF-001": "A file of the config can't be read or is not YAML 1.2. Mend the line it names.",
    "LL-CONF-002": "A key stands twice in one mapping. Remove one of them.",
    "LL-CONF-003": "A key is unknown at this place. The message names the valid keys and the nearest.",
    "LL-CONF-004": "A value has the wrong type or is outside the valid values.",
    "LL-CONF-005": "A required key is missing.",
    "LL-CONF-006": "A tab stands where YAML wants spaces.",
    "LL-CONF-007": "The project or the environment asked for does not exist under conf/.",
    "LL-CONF-008": "An environment variable or a secret that the config names is not set.",
    "LL-CONF-009": "A file that the config names (SQL, schema) does not exist or lies outside the project.",
    "LL-CONF-010": "A reference names a table, source, feature view, dataset or model that is not declared.",
    "LL-CONF-011": "The graph has a cycle. The message names its steps in order.",
    "LL-CONF-012": "SQL does not parse.",
    "LL-CONF-013": "SQL or a function uses the clock or chance (rand, current_timestamp …): a replay would differ.",
    "LL-CONF-014": "A name is not a plain identifier (letters, digits, underscores).",
    "LL-CONF-015": "The config's version is not one this lakeloom reads.",
    "LL-CONF-016": "A file that init would write exists already; nothing was written. Choose another folder.",
    "LL-CONF-020": "A kind is unknown. The message names the valid kinds and the nearest.",
    "LL-CONF-021": "A dotted name can't be imported.",
    # sources
    "LL-SOURCE-001": "A source's path or database can't be reached. Tried again with backoff, then the step fails.",
    "LL-SOURCE-002": "The database refused the user or password.",
    "LL-SOURCE-003": "A source's column for key or watermark does not exist there.",
    "LL-SOURCE-004": "A source could not be read; the cause is named.",
    "LL-SOURCE-005": "A database driver is missing on the class path.",
    # tables
    "LL-TABLE-001": "A table's name is malformed.",
    "LL-TABLE-002": "A table's version is malformed.",
    "LL-TABLE-003": "A column is not among the table's columns.",
    "LL-TABLE-004": "The frame does not fit the table's contract and its evolution policy forbids the change.",
    "LL-TABLE-005": "A column's values can't be cast to the contract's type without loss.",
    "LL-TABLE-006": "A merge needs keys, or the keys of the source are not unique after ordering.",
    "LL-TABLE-007": "SQL does not analyse against the tables as they are.",
    "LL-TABLE-008": "A query failed while it ran; the kind of failure is named, never a row's value.",
    # rules
    "LL-RULE-001": "A rule at level fail was broken before the commit; nothing was written.",
    "LL-RULE-002": "A rule over the whole table was broken after the commit; the table was restored.",
    "LL-RULE-003": "A rule itself is wrong (unknown expectation, missing argument, SQL that does not analyse).",
    # store
    "LL-STORE-001": "The table does not exist.",
    "LL-STORE-002": "The table has no such version, time or tag.",
    "LL-STORE-003": "A path would leave the storage root.",
    "LL-STORE-004": "The storage root can't be written.",
    "LL-STORE-005": "The table's log or a file of it is damaged; the file is named.",
    "LL-STORE-006": "An intent of this step and epoch exists already: another run is working on it.",
    # features, datasets
    "LL-FEATURE-001": "A feature has no availability time: it could leak the future.",
    "LL-FEATURE-002": "A feature view's column, key or time is not in its table.",
    "LL-FEATURE-003": "An as-of time is missing or later than what it predicts.",
    "LL-FEATURE-004": "The keys of a dataset's labels are NULL or not unique: its rows could not be told apart.",
    # training
    "LL-TRAIN-001": "A split of the dataset is empty or has one class only.",
    "LL-TRAIN-002": "A worker of the distributed training failed.",
    "LL-TRAIN-003": "The model, version or alias is not in the registry.",
    "LL-TRAIN-004": "The search space is malformed.",
    "LL-TRAIN-005": "The loss became NaN or infinite.",
    "LL-TRAIN-006": "A feature is missing from the table, or is neither number, boolean nor text.",
    "LL-TRAIN-007": "A model's folder is damaged or was written by something else.",
    # runner
    "LL-RUN-001": "A selection matches no step.",
    "LL-RUN-002": "Another run holds the project's lock.",
    "LL-RUN-003": "There is no run or nothing to retry.",
    "LL-RUN-004": "A transform raised an error; the step failed, nothing was written.",
    "LL-RUN-005": "The run was stopped by the user; the next run goes on where it stopped.",
    # set-up
    "LL-SETUP-001": "No JDK 17 was found. Install one (Debian: openjdk-17-jdk-headless) or set JAVA_HOME.",
    "LL-SETUP-002": "Delta's jars are missing. Run make setup.",
    "LL-SETUP-003": "An optional package is missing; the message names the extra to install.",
    "LL-SETUP-004": "No C++ compiler was found; Horovod is compiled at set-up. Install one (Debian: g++).",
    "LL-SETUP-005": "make was not found; Horovod's build needs it. Install it (Debian: make).",
    "LL-SETUP-006": "The set-up was started by another Python than 3.11, which the locked environment needs.",
    "LL-SETUP-007": "A jar or a line of its lock is not what was pinned; nothing of it was kept.",
    "LL-SETUP-008": "A command of the set-up failed; the end of its log is shown. Run make setup again: it goes on.",
}
