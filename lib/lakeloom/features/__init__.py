"""Feature views and the point-in-time join: what was known about an entity at an instant."""
