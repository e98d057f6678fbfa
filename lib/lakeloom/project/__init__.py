"""The project as typed, frozen things: graph, check, selection, plan. Pure: no effects, no Spark."""
