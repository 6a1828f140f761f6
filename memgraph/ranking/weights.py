"""Every constant of ranking, each with its reason and what it depends on.

The unit is one standard deviation: scores of the arms are standardised over what the search may see, so the constants
hold for any encoder, whatever its range of scores. They were rounded by hand; none is fitted. "People" is talk of short
turns between people, "assistant" is talk of a user with an assistant that answers at length; in brackets the loss of
recall@10 and nDCG@10 when the rule is left out, on the one and on the other (the second measured on a prototype).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of fusion. Change one with `dataclasses.replace`."""

    dense: float = 1.2
    """Similarity of meaning, the strongest arm in both kinds of talk."""

    lexical: float = 0.4
    """BM25, the arm of names, numbers and rare words [6.5/8.2, 2.6/4.9]. Equal shares, as in plain rank fusion, lose
    five points where answers are long."""

    lexical_alone: float = 0.8
    """BM25 where there is no dense arm: no embedder, or one that failed. With `lexical` the priors would decide."""

    priors_alone: float = 0.25
    """Share of `length` and `reply` that is left without a dense arm: a word that is met is the only evidence then."""

    session: float = 0.4
    """A turn stands in a sitting about the matter: mean of dense + BM25 of the sitting's best turns [.7/-.2, .5/.5].
    Depends on there being more than one sitting."""

    session_best: int = 3
    """Turns of a sitting that speak for it: one is luck, and the mean of all drowns in small talk."""

    speaker: float = 2.0
    """The turn's speaker is named by the question [4.5/8.2, 0]. A boost, never a filter: others speak of them too.
    Depends on somebody, not everybody, being named."""

    time: float = 1.25
    """Said near a time that the question names [1.0/.7 with `time_inside`, 0]. Depends on a window."""

    time_inside: float = 0.75
    """On top of `time` for what was said within the window itself: the nearer, the likelier [.6/.3, 0]."""

    when: float = 0.75
    """A "when" question, and the turn has a temporal expression [.3/.7, .3/.2]."""

    question: float = -0.6
    """The turn only asks [.3/.2, 0]: the answer is worth more. Not in a sitting with an assistant, where questions
    are what the user says."""

    question_words: int = 12
    """Up to this length a question says nothing of the user to an assistant either: "Where do I live now?"."""

    length: float = -0.4
    """For each doubling of a turn's words beyond `length_words` [-.4/-.4, 1.3/1.3]: long texts hold a bit of all."""

    length_words: int = 40
    """Where a turn begins to be long: five in six turns between people are shorter."""

    reply: float = -1.4
    """Said by an assistant or put out by a tool [0, 2.7/1.9]: a memory is first of all the user's own words."""

    reply_wanted: float = 0.9
    """Instead of `reply` for an assistant's turn when the question asks for what it said, or for a summary."""

    instruction: float = 3.0
    """A standing instruction, when something is asked to be done [0, 2.8/3.1 with `preference`]: it bears on it
    whatever the subject. Inert for questions about the past."""

    preference: float = 0.75
    """A stated preference, when something is asked to be done."""

    fact: float = 0.3
    """Share of what a fact says of the question beyond its turn, in the unit of the arms [1.2/1.1, where rules
    had extracted facts of a sixth of the turns; from .2 to .5 within .4]. Times the fact's confidence. A fact as good
    as its turn adds nothing: that something could be extracted says nothing of whether it answers."""

    contradicted: float = -0.5
    """A fact that a newer one contradicts, where neither could be closed: still shown, behind what is as good."""

    outdated: float = -1.0
    """A turn that bears on the question by what is over only, where something took its place: that has the turn's rank,
    and the turn comes behind it. Inert for questions about the past."""

    graph: float = 1.0
    """A fact that mentions what the question names, if nothing else mentions it; a hub's facts share it by the root of
    their number, and each further entity on the way divides again. Inert where no entity is named."""

    survivors_from: int = 20
    """From this limit on the best turn of each arm is never lost, whatever the priors say: it takes one of the last
    places. For a shorter list there is no place to give away [.2/.1 at a limit of 10]."""

    decisive: int = 3
    """An arm that finds at most so many turns, and nothing in all others, keeps its best at any limit: a word that
    stands in one long document only would lose to the document's length."""

    near_before_days: float = 1.0
    """A window is met from a day before it (a time zone is not known) ..."""

    near_after_days: float = 31.0
    """... to a month after it: what happened is told when people meet next."""


WEIGHTS: Final = Weights()
