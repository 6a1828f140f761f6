"""What one system got for one question: ids and numbers only, so that it may be published and anybody can recompute."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

GoldIn = Literal["user turns", "long replies"]
"""Where the gold lies in a talk with an assistant: only in the user's own turns, or (also) in a long reply."""


class QuestionScore(BaseModel):
    """A line of the per-question file.

    Attributes:
        system: Name of the system.
        conversation: Id of the conversation.
        question: Id of the question.
        category: A key of `CATEGORIES`.
        gold_in: Where the gold lies; None where two people talk, and for gold only in short replies.
        gold: Ids of the right turns.
        ranked: Ids of the turns found, best first, to the deepest k.
        recall: By k.
        hit: Whether any gold is among the first ten, 0 or 1.
        all_found: Whether all is.
        ndcg: nDCG@10.
        reciprocal_rank: 1 / rank of the first gold, 0 beyond the deepest k.
        failure: Class of what the system raised; every score is 0 then. None: it answered.
        degraded: Parts of the system that could not take part.
    """

    model_config = ConfigDict(frozen=True)

    system: str
    conversation: str
    question: str
    category: int
    gold_in: GoldIn | None
    gold: tuple[str, ...]
    ranked: tuple[str, ...]
    recall: dict[int, float]
    hit: float
    all_found: float
    ndcg: float
    reciprocal_rank: float
    failure: str | None = None
    degraded: tuple[str, ...] = ()
