"""Datasets: labels, the features known as of a time, and the splits."""
