"""Running an evaluation: systems, conversations, questions, scores."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from memgraph.embedders import resolve
from memgraph.errors import InvalidInput
from memgraph.evals import metrics
from memgraph.evals.dialogs import ADVERSARIAL, Conversation, Question, Sample
from memgraph.evals.locomo import Dataset, load
from memgraph.evals.manifest import manifest
from memgraph.evals.report import Report, build_report
from memgraph.evals.scores import GoldIn, QuestionScore
from memgraph.evals.systems import Ranking, System

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

KS: Final = (1, 5, 10, 20)
DEPTH: Final = 10
"""The rank at which nDCG and the interval are taken, whatever the ks."""

LONG_REPLY: Final = 300
"""Words from which an assistant's reply is long: where it would crowd a user's own short words out."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps are done, and how many there are."""


def run_retrieval(
    data_path: str | Path,
    *,
    embedder: Embeddings | str | None = "local",
    systems: Sequence[System] | None = None,
    ks: Sequence[int] = KS,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    questions_path: str | Path | None = None,
) -> Report:
    """Ask every system every question and report how much of the evidence it finds. See `arun_retrieval`."""
    return asyncio.run(
        arun_retrieval(
            data_path,
            embedder=embedder,
            systems=systems,
            ks=ks,
            limit=limit,
            seed=seed,
            progress=progress,
            questions_path=questions_path,
        )
    )


async def arun_retrieval(
    data_path: str | Path,
    *,
    embedder: Embeddings | str | None = "local",
    systems: Sequence[System] | None = None,
    ks: Sequence[int] = KS,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    questions_path: str | Path | None = None,
) -> Report:
    """Ask every system every question and report how much of the evidence it finds.

    memgraph's database lies in a temporary folder that is gone afterwards.

    Args:
        data_path: A file of LOCOMO's form.
        embedder: As `Memory.open` takes it; the dense baselines use the same one. None: words only.
        systems: What to compare; None for the baselines and memgraph. They are closed at the end.
        ks: Ranks at which recall is taken.
        limit: How many questions to ask at most, the first ones; None for all.
        seed: Of the bootstrap.
        progress: Called after every question and before every conversation.
        questions_path: Where to write one JSON line for each question and system: ids and scores, no text.

    Raises:
        InvalidDataset: The file can't be read or is of another form.
        InvalidInput: `ks`, `limit` or `questions_path` can't be used, or no question has evidence.
    """
    depths = sorted({*ks, DEPTH})
    if depths[0] < 1 or (limit is not None and limit < 1):
        raise InvalidInput(f"ks {list(ks)} and limit {limit} must be 1 or more")
    dataset = load(data_path)
    samples = _askable(dataset, limit)
    resolved = resolve(embedder)
    async with AsyncExitStack() as stack:
        lines = None if questions_path is None else stack.enter_context(_open_for_lines(questions_path))
        if systems is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="memgraph-eval-"))
            systems = default_systems(Path(folder), resolved.embeddings, depths[-1])
        for system in systems:
            stack.push_async_callback(system.close)
        scores = await score(samples, systems, depths, progress)
        if lines is not None:
            lines.writelines(f"{item.model_dump_json()}\n" for item in scores)
    described = manifest(dataset, embedder=resolved.name, ks=depths, limit=limit, seed=seed)
    return build_report(scores, described, seed=seed)


def default_systems(folder: Path, embedder: Embeddings | None, depth: int) -> list[System]:
    """Return the baselines and memgraph with and without facts, able to rank `depth` turns; files go into `folder`."""
    from memgraph.evals.baselines import baselines
    from memgraph.evals.memgraph_system import LIMIT, MemgraphSystem

    limit = max(LIMIT, depth)
    return [
        *baselines(embedder),
        MemgraphSystem(folder / "turns.db", embedder, limit=limit, facts=False),
        MemgraphSystem(folder / "eval.db", embedder, limit=limit),
    ]


async def score(
    samples: Sequence[Sample], systems: Sequence[System], ks: Sequence[int], progress: Progress | None = None
) -> list[QuestionScore]:
    """Ask every system every question; all the questions of a conversation before the next conversation.

    Whatever a system raises while it ranks is its answer's worth, 0, and is recorded with the question. What it raises
    while it takes a conversation in is raised: nothing was measured then.
    """
    names = [system.name for system in systems]
    if len(set(names)) < len(names) or not names:
        raise InvalidInput(f"systems {names}: at least one, and no two of one name")
    total = len(systems) * sum(len(sample.questions) for sample in samples)
    scores: list[QuestionScore] = []
    for sample in samples:
        for system in systems:
            label = f"{system.name}: {sample.conversation.id}"
            if progress is not None:
                progress(f"{label}, taking in", len(scores), total)
            await system.prepare(sample.conversation)
            for question in sample.questions:
                scores.append(await _score_one(system, sample.conversation, question, ks))
                if progress is not None:
                    progress(label, len(scores), total)
    return scores


def _open_for_lines(path: str | Path) -> IO[str]:
    """Open the per-question file before anything is measured: a wrong path must not cost a run."""
    try:
        return Path(path).open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"can't write `{path}`: {error.strerror}") from error


async def _score_one(
    system: System, conversation: Conversation, question: Question, ks: Sequence[int]
) -> QuestionScore:
    failure: str | None = None
    try:
        ranking = await system.rank(question.text, max(ks))
    except Exception as error:  # A system under test may raise anything; that is a result, and the report counts it.
        ranking, failure = Ranking(()), type(error).__name__
    ranked, gold = ranking.dia_ids[: max(ks)], question.evidence
    return QuestionScore(
        system=system.name,
        conversation=conversation.id,
        question=question.id,
        category=question.category,
        gold_in=_gold_in(conversation, question),
        gold=gold,
        ranked=ranked,
        recall={k: metrics.recall(ranked, gold, k) for k in ks},
        hit=metrics.hit(ranked, gold, DEPTH),
        all_found=metrics.all_found(ranked, gold, DEPTH),
        ndcg=metrics.ndcg(ranked, gold, DEPTH),
        reciprocal_rank=metrics.reciprocal_rank(ranked, gold, max(ks)),
        failure=failure,
        degraded=ranking.degraded,
    )


def _gold_in(conversation: Conversation, question: Question) -> GoldIn | None:
    """Say where the gold lies in a talk between a user and an assistant; None in between, and where two people talk."""
    gold = [turn for turn in conversation.turns if turn.dia_id in question.evidence]
    if all(turn.role == "user" for turn in gold):
        return "user turns"
    if any(turn.role == "assistant" and len(turn.text.split()) >= LONG_REPLY for turn in gold):
        return "long replies"
    return None


def _askable(dataset: Dataset, limit: int | None) -> list[Sample]:
    """Return the samples with the questions to ask: those with evidence, at most `limit`; samples without any left out.

    The questions of category 5 go last, so that a limit cuts there first.
    """
    left = limit
    samples: list[Sample] = []
    for sample in dataset.samples:
        usable = sorted((q for q in sample.questions if q.evidence), key=lambda q: q.category == ADVERSARIAL)
        kept = tuple(usable if left is None else usable[:left])
        left = None if left is None else left - len(kept)
        if kept:
            samples.append(replace(sample, questions=kept))
    if not samples:
        raise InvalidInput(f"`{dataset.path.name}` has no question with evidence: nothing to measure")
    return samples
