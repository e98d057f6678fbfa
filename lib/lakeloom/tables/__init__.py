"""Tables by layer: bronze's platform columns, contracts, SQL that names tables, merging by key."""
