"""``open`` and the small typed objects behind it: what the command line, the jobs and notebooks call."""
