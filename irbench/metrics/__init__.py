"""The metrics: pure functions behind the evaluator."""
