"""The regression gate: a run against a baseline that was written of an earlier one."""
