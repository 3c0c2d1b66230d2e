"""Sessions for a fresh machine: ``pip install nox && nox -s bench`` or ``nox -s tests``."""

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False  # `wheel` takes what the machine has

PACKAGES = ("irbench", "methods", "datasets", "reports")


def install(session: nox.Session, *extras: str) -> None:
    target = f".[{','.join(extras)}]" if extras else "."
    session.install("-e", target, "--constraint", "constraints.txt")


@nox.session
def bench(session: nox.Session) -> None:
    """Set up, run all methods over the embedded dataset, print the table and write the report."""
    install(session)
    arguments = session.posargs or ["--timing-images", "5"]
    session.run("irbench", "run", "--methods", "all", "--dataset", "synth", *arguments)
    session.run("irbench", "report", "runs/synth", "--format", "html")


TEST_EXTRAS = ("test", "onnx", "openvino", "dask", "tensorboard")
TWO_PROCESSES = ("-n", "2", "--dist", "worksteal")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all but the slow tests. Those on real data run where IRBENCH_DATA and more are set."""
    install(session, *TEST_EXTRAS)
    quick = ["-m", "not slow and not stress", *TWO_PROCESSES]
    session.run("pytest", *(session.posargs or quick))


@nox.session
def slow(session: nox.Session) -> None:
    """Run the slow tests: trainings, kills, exports of networks, pages as they are written."""
    install(session, *TEST_EXTRAS)
    session.run("pytest", "-m", "slow and not stress", *(session.posargs or TWO_PROCESSES))


@nox.session(python=["3.11", "3.12", "3.13"])
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it alone, and use it far from the repository."""
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)  # of the session before
    folder.mkdir()
    session.run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), ".")
    (built,) = folder.glob("irbench-*.whl")
    session.install(str(built), "--constraint", "constraints.txt")
    session.install("--force-reinstall", "--no-deps", str(built))
    session.chdir(folder)
    names, few = ("--methods", "tophat,le-irstd"), ("--limit", "5", "--timing-images", "0")
    session.run("irbench", "run", *names, "--dataset", "synth", *few, *session.posargs)


@nox.session
def stress(session: nox.Session) -> None:
    """Run what takes long: many kills, large inputs, tens of thousands of damaged files."""
    install(session, "test")
    session.run("pytest", "-m", "stress", "-s", *session.posargs)


@nox.session
def paper(session: nox.Session) -> None:
    """Build the paper of docs/paper from runs on `synth`; needs pdflatex, bibtex and IEEEtran."""
    install(session)
    session.run("python", "docs/paper/build.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install("ruff", "--constraint", "constraints.txt")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    install(session, "types")
    session.run("mypy", *PACKAGES)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build; a warning is an error."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build")
