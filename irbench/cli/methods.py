"""``irbench methods``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from irbench.cli.completion import complete_method
from irbench.cli.options import json_option, load_plugins, plugin_option, print_failures
from irbench.cli.weights_table import weights_facts, weights_lines, weights_mark


@click.group()
def methods() -> None:
    """List the methods, or show one with its parameters.

    \b
    irbench methods list
    irbench methods show tophat
    """


@methods.command("list")
@json_option
@plugin_option
def list_methods(as_json: bool, plugins: tuple[Path, ...]) -> None:
    """List all methods by the groups of Table I, and plug-ins that could not be loaded.

    \b
    irbench methods list
    irbench methods list --plugin mine.py --json
    """
    from irbench.plugins.registry import catalogue

    load_plugins(plugins)
    found = catalogue("methods")
    classes = sorted(found.classes.values(), key=lambda cls: cls.info.order)
    if as_json:
        click.echo(json.dumps([_facts(cls) for cls in classes], indent=2))
        return
    group = None
    width = max(len(cls.info.name) for cls in classes) if classes else 0
    for cls in classes:
        if cls.info.group != group:
            group = cls.info.group
            click.echo(f"{group}")
        info = cls.info
        mark = "*"
        if info.default:
            mark = " "
        elif info.extended:
            mark = "+"
        elif info.with_weights:
            mark = "w"
        title = f"{info.title} ({info.year})"
        size = "" if info.n_parameters is None else f"{info.n_parameters / 1e6:.2f} M"
        click.echo(
            f" {mark} {info.name:{width}}  {cls.kind:12}  {size:>7}  {title}{weights_mark(cls)}"
        )
    click.echo(
        "\n+ in `extended`, not in `all`; w in `all` for data that it has weights for; * in none, "
        "runs by name.\nM: millions of parameters of the network."
    )
    click.echo("Details: irbench methods show NAME")
    print_failures(found.failures)


@methods.command("show")
@click.argument("name", shell_complete=complete_method)
@json_option
@plugin_option
def show(name: str, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """Show a method: its paper, its parameters with units and ranges, its docstring.

    \b
    irbench methods show tophat
    irbench methods show le-irstd --json
    """
    import inspect

    from irbench.plugins.registry import method_class
    from irbench.scoring.calibration import shipped_calibration

    load_plugins(plugins)
    cls = method_class(name)
    if as_json:
        click.echo(json.dumps(_facts(cls), indent=2))
        return
    info = cls.info
    click.echo(f"{info.name}: {info.title} ({info.year}), {info.group}, {cls.kind} detector")
    if info.n_parameters is not None:
        click.echo(f"{info.n_parameters:,} parameters")
    click.echo(f"{info.reference}\n")
    if info.note:
        click.echo(f"Note: {info.note}\n")
    specs = _facts(cls)["parameters"]
    if specs:
        from tabulate import tabulate

        rows = [
            (f"{name}.{s['name']}", s["default"], s["range"], s["unit"], s["help"]) for s in specs
        ]
        heads = ("parameter (--param …=VALUE)", "default", "accepted", "unit", "")
        click.echo(tabulate(rows, heads, tablefmt="simple", disable_numparse=True))
    else:
        click.echo("No parameters.")
    for line in weights_lines(cls):
        click.echo(f"\n{line}")
    shipped = shipped_calibration(name)
    if shipped is not None:
        click.echo(
            f"\nWithout validation data: extent {shipped.extent}, threshold {shipped.threshold} "
            "(measured on the validation split of synth)."
        )
    click.echo(f"\n{inspect.getdoc(cls)}")


def _facts(cls: type[Any]) -> dict[str, Any]:
    from irbench.parameters import parameter_specs

    info = cls.info
    return {
        "name": info.name,
        "title": info.title,
        "group": info.group,
        "year": info.year,
        "kind": cls.kind,
        "reference": info.reference,
        "default": info.default,
        "extended": info.default or info.extended,
        "with_weights": info.with_weights,
        "trainable": info.trainable,
        "n_parameters": info.n_parameters,
        "note": info.note,
        "weights": weights_facts(cls),
        "parameters": [
            {name: getattr(spec, name) for name in ("name", "default", "range", "unit", "help")}
            for spec in parameter_specs(cls).values()
        ],
    }
