"""A process on its machine: signals, waiting for processors, versions, compiled code."""
