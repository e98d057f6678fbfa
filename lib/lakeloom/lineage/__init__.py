"""What comes from what: the graph of sources, tables, features, datasets, models and scores."""
