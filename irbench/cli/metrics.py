"""``irbench metrics``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.options import json_option, load_plugins, plugin_option, print_failures

if TYPE_CHECKING:
    from irbench.metrics.metric import MetricDefinition


@click.group()
def metrics() -> None:
    """List the metrics, or show how one is defined.

    \b
    irbench metrics list
    irbench metrics show map50
    """


@metrics.command("list")
@json_option
@plugin_option
def list_metrics(as_json: bool, plugins: tuple[Path, ...]) -> None:
    """List all metrics in the order of a results table, and plug-ins that could not be loaded.

    \b
    irbench metrics list
    irbench metrics list --plugin f2.py --json
    """
    from irbench.metrics.definition import METRICS
    from irbench.metrics.plugins import plugin_metrics

    load_plugins(plugins)
    if as_json:
        click.echo(json.dumps([_facts(metric) for metric in METRICS.values()], indent=2))
        return
    width = max(map(len, METRICS))
    kind = None
    for metric in METRICS.values():
        source = plugin_metrics().sources.get(metric.name)
        heading = metric.kind if source is None else "of plug-ins"
        if heading != kind:
            kind = heading
            click.echo(kind)
        unit = f" [{metric.unit}]" if metric.unit else ""
        title = f"{metric.title} {metric.arrow}".strip()
        click.echo(f"  {metric.name:{width}}  {title}{unit}")
    click.echo("\nAny of them is a column: irbench report RUN --columns NAME,…")
    click.echo("Details: irbench metrics show NAME")
    print_failures(plugin_metrics().failures)


@metrics.command("show")
@click.argument("name")
@json_option
@plugin_option
def show(name: str, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """Show a metric: its definition, its bounds, where it comes from, what it equals.

    \b
    irbench metrics show map50
    irbench metrics show f2 --plugin f2.py
    """
    from irbench.metrics.definition import get_metric

    load_plugins(plugins)
    facts = _facts(get_metric(name))
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    width = max(map(len, facts))
    for key, value in facts.items():
        if value not in (None, ""):
            click.echo(f"{key:{width}}  {value}")


def _facts(metric: MetricDefinition) -> dict[str, Any]:
    from irbench.metrics.metric import Metric
    from irbench.metrics.plugins import plugin_metrics

    better = {True: "higher", False: "lower", None: ""}[metric.higher_is_better]
    low, high = (str(end) for end in metric.bounds)
    facts = {
        field.name: _fact(getattr(metric, field.name))
        for field in dataclasses.fields(metric)
        if field.name not in ("form", "reason", "bounds", "higher_is_better", "scale", "decimals")
    }
    return {
        **facts,
        "better": better,
        "bounds": f"{low} to {high}",
        "interval": isinstance(metric, Metric),
        "plug-in": plugin_metrics().sources.get(metric.name, ""),
    }


def _fact(value: Any) -> Any:
    return value if isinstance(value, str | bool | None) else str(value)
