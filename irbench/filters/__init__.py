"""Window statistics that several groups of methods share."""
