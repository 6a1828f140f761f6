"""A report as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgraph.evals.report import OURS, Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from memgraph.evals.statistics import Interval


def render(report: Report, console: Console) -> None:
    """Print a report as one table, with what a reader must know to believe it below. It fits 80 columns."""
    console.print(_table(report))
    for difference in report.differences:
        over = difference.by_conversation
        _say(
            console,
            f"{OURS} - {difference.other}, {difference.metric}: {_points(difference.by_question)} over questions"
            + ("" if over is None else f", {_points(over)} over conversations"),
        )
    for system, kinds in report.failures.items():
        _say(console, f"{system}: questions that failed and score 0: {_listed(kinds)}", style="bold red")
    for system, parts in report.degraded.items():
        _say(console, f"{system}: questions answered without a part: {_listed(parts)}", style="yellow")
    manifest = report.manifest
    _say(
        console,
        f"{manifest.data} ({manifest.identity}), sha256 {manifest.sha256[:12]}; "
        f"embedder {manifest.embedder or 'none'}; intervals 95 %, {manifest.resamples} resamples, seed {manifest.seed}"
        "; -names: with the participants' names taken out of the question",
    )


def _table(report: Report) -> Table:
    from rich import box
    from rich.table import Table

    ks = report.manifest.ks
    table = Table(title="Evidence found, percent", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False)
    table.add_column("recall at", no_wrap=True)
    for k in ks:
        table.add_column(f"@{k}", justify="right", no_wrap=True, min_width=5)
    table.add_column("95 % of @10", justify="right", no_wrap=True, min_width=11)
    table.add_column("nDCG@10", justify="right", no_wrap=True, min_width=7)
    shown = ""
    for row in report.rows:
        if row.group != shown:
            table.add_row(f"{row.group}, n = {row.n}", style="italic")
            shown = row.group
        table.add_row(
            f"  {row.system}" + (f" ({row.failed} failed)" if row.failed else ""),
            *(f"{100 * row.recall[k]:.1f}" for k in ks),
            f"{100 * row.recall_10.low:.1f}-{100 * row.recall_10.high:.1f}",
            f"{100 * row.ndcg_10:.1f}",
            style="bold" if row.system == OURS else None,
        )
    return table


def _say(console: Console, line: str, style: str | None = None) -> None:
    """Print a line as it stands: a file's name may hold brackets."""
    console.print(line, style=style, markup=False, highlight=False)


def _points(interval: Interval) -> str:
    return f"{100 * interval.mean:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
