"""A user with an assistant that answers at length: its replies repeat every word of a question, and must stand back.

Synthetic, in small: ten matters, each told by the user in a sentence or two and answered in some 400 words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from memgraph.projections.postings import K1 as BM25_K1
from memgraph.projections.postings import B as BM25_B
from memgraph.projections.tokenizer import tokenize
from memgraph.ranking.budget import recall
from memgraph.ranking.fusion import Pool, Ranking, rank
from memgraph.ranking.query import analyse
from memgraph.sittings import context_gate
from memgraph.writing.features import Features, features
from memgraph.writing.parts import pair_text, passages
from support.fakes import hash_vector

START = datetime(2024, 5, 13, 9, 30, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
DIMS = 512

# What the user tells, the key sentence of the reply, a question about the one and about the other, subjects.
MATTERS = [
    (
        "I signed up for the half marathon in Porto, it is my first race since my knee surgery.",
        "For a recovering knee I recommend the ElliptiGlide trainer three times a week.",
        "Which race did I sign up for?",
        "Which trainer did you recommend for my knee?",
        "race knee marathon training recovery surgery",
    ),
    (
        "My landlord raised the rent to 1,450 euros, so we are looking for a flat in Graca.",
        "You could invoke the so-called Fonseca clause to contest the rent.",
        "How high is my rent now?",
        "What clause did you mention for contesting the rent?",
        "rent landlord flat lease contract tenant",
    ),
    (
        "Our cat Pixel has been sneezing since Tuesday and hides under the sofa.",
        "A vet may prescribe Felivex drops for a sneezing cat.",
        "What is wrong with my cat?",
        "Which drops did you say the vet may prescribe for the cat?",
        "cat vet sneezing pet symptoms sofa",
    ),
    (
        "I planted three lemon trees on the balcony last weekend, the leaves are turning yellow.",
        "Yellow leaves are best treated with chelated Verdamix iron.",
        "How many lemon trees did I plant?",
        "What did you suggest against yellow leaves?",
        "lemon trees leaves balcony plants soil",
    ),
    (
        "My sister Clara gets married in Sintra on the ninth of June and I hold a speech.",
        "A good speech follows the Halvorsen arc of three short stories.",
        "Where does my sister get married?",
        "Which arc did you explain for the wedding speech?",
        "wedding speech sister toast guests stories",
    ),
    (
        "I failed the written exam of the sailing licence by two points.",
        "Learn the lights with the Bakboord mnemonic before the sailing exam.",
        "By how many points did I fail the sailing exam?",
        "Which mnemonic did you give me for the sailing exam?",
        "sailing exam licence lights harbour theory",
    ),
    (
        "At work they moved me to the payments team, my new manager is called Okonkwo.",
        "In the first weeks with a manager keep a Brightline log of decisions.",
        "What is my new manager called?",
        "What log did you advise me to keep for my manager?",
        "manager team payments work meetings decisions",
    ),
    (
        "I baked sourdough from my grandmother's starter, which is forty years old.",
        "Feed an old sourdough starter with rye by the Tobler ratio.",
        "How old is the sourdough starter?",
        "Which ratio did you propose for feeding the starter?",
        "sourdough starter bread flour baking oven",
    ),
    (
        "The car broke down near Evora, the garage says it is the alternator.",
        "Ask the garage for a remanufactured Kestrel alternator.",
        "Where did the car break down?",
        "Which alternator did you tell me to ask for?",
        "car garage alternator repair battery mechanic",
    ),
    (
        "I am learning the cello, my teacher wants the Elgar by Christmas.",
        "Practise slow shifts with the Duvernoy ladder on the cello.",
        "Which piece does my cello teacher want?",
        "What ladder did you describe for practising the cello?",
        "cello teacher practice music strings bow",
    ),
]
WISHES = ["Always give me distances in kilometres.", "From now on never use emoji in what you write for me."]
FILLER = (
    "When it comes to {a} and {b}, many people find that patience matters more than anything else.",
    "It also helps to write down what you notice about the {a} for a week or two.",
    "Keep in mind that every {b} is different, and that {c} plays a part as well.",
    "If the {c} seems too much at once, begin with the {a} and come back to it.",
    "Experts who deal with {b} every day often say that {a} is what people forget.",
    "Another thing to think about is how {c} and {a} go together over time.",
)


@dataclass(frozen=True)
class Said:
    id: str
    text: str
    speaker: str
    origin: str
    said_at: datetime
    session_id: str | None
    thread_id: str | None = None


def reply(key: str, subjects: str) -> str:
    """Write some 400 words about the matter, with the key sentence in the middle."""
    words = subjects.split()
    lines = [
        FILLER[i % len(FILLER)].format(
            a=words[i % len(words)], b=words[(i // 2 + 1) % len(words)], c=words[(i // 3 + 2) % len(words)]
        )
        for i in range(26)
    ]
    return " ".join([*lines[:13], key, *lines[13:]])


@cache
def talk() -> list[Said]:
    said: list[Said] = []
    for day, (told, key, _, _, subjects) in enumerate(MATTERS):
        texts = [("user", told), ("assistant", reply(key, subjects)), ("user", "Thanks, that helps a lot!")]
        if day in (3, 6):
            texts.insert(0, ("user", WISHES[day == 6]))
        for role, text in texts:
            at = START + timedelta(days=day, minutes=len(said))
            said.append(Said(str(len(said)), text, role, role, at, str(day)))
    return said


@cache
def columns() -> tuple[Pool, list[Counter[str]], list[NDArray[np.float32]]]:
    """Index the talk as it is indexed when it is written."""
    said = talk()
    read: list[Features] = [features(one.text, one.origin) for one in said]
    context = [
        i > 0 and said[i - 1].session_id == one.session_id and context_gate(read[i - 1].words, read[i].words)
        for i, one in enumerate(said)
    ]
    terms: list[Counter[str]] = []
    vectors: list[NDArray[np.float32]] = []
    for i, one in enumerate(said):
        before = said[i - 1].text if context[i] else None
        terms.append(Counter(tokenize(one.text) + tokenize(before or "")))
        parts = passages(one.text)
        texts = parts if len(parts) > 1 else [pair_text(before, one.text)]
        vectors.append(np.array([hash_vector(text, DIMS) for text in texts], dtype=np.float32))
    pool = Pool(
        words=np.array([found.words for found in read], dtype=np.int32),
        flags=np.array([found.flags for found in read], dtype=np.int32),
        said_at=np.array([int(one.said_at.timestamp()) * 1_000_000 for one in said], dtype=np.int64),
        session=np.array([int(one.session_id or 0) for one in said], dtype=np.int32),
        speaker=np.array([one.speaker == "assistant" for one in said], dtype=np.int32),
        speakers=["user", "assistant"],
    )
    return pool, terms, vectors


def search(question: str, limit: int = 10) -> tuple[Ranking, list[Said]]:
    pool, terms, vectors = columns()
    query = analyse(question, speakers=pool.speakers, now_us=START_US + 30 * 86_400_000_000)
    asked = np.array(hash_vector(query.content, DIMS), dtype=np.float32)
    dense = np.array([(parts @ asked).max() for parts in vectors], dtype=np.float32)
    lengths = np.array([sum(found.values()) for found in terms])
    lexical = np.zeros(len(terms), dtype=np.float32)
    for term in query.terms:
        having = [i for i, found in enumerate(terms) if term in found]
        idf = np.log(1 + (len(terms) - len(having) + 0.5) / (len(having) + 0.5))
        for i in having:
            tf = terms[i][term]
            lexical[i] += (
                idf * tf * (BM25_K1 + 1) / (tf + BM25_K1 * (1 - BM25_B + BM25_B * lengths[i] / lengths.mean()))
            )
    ranking = rank(pool, query, dense, lexical, limit=limit)
    return ranking, [talk()[row] for row in ranking.rows]


def test_the_talk_is_what_it_says() -> None:
    replies = [one for one in talk() if one.origin == "assistant"]
    assert all(350 <= len(one.text.split()) <= 600 for one in replies)


@pytest.mark.parametrize(("told", "question"), [(matter[0], matter[2]) for matter in MATTERS])
def test_the_users_own_words_come_before_the_reply_to_them(told: str, question: str) -> None:
    _, found = search(question)
    assert found[0].text == told


@pytest.mark.parametrize(("key", "question"), [(matter[1], matter[3]) for matter in MATTERS])
def test_a_reply_is_found_when_it_is_asked_for(key: str, question: str) -> None:
    _, found = search(question)
    assert any(key in one.text for one in found[:3])
    query = analyse(question, speakers=["user", "assistant"], now_us=START_US)
    assert key in recall(found, query, 400).text


@pytest.mark.parametrize(("told", "question"), [(matter[0], matter[2]) for matter in MATTERS])
def test_the_budget_keeps_the_users_words(told: str, question: str) -> None:
    _, found = search(question)
    query = analyse(question, speakers=["user", "assistant"], now_us=START_US)
    got = recall(list(reversed(found)), query, 500)  # even where ranking would fail
    assert told in got.text


@pytest.mark.parametrize("question", ["Can you plan a bike tour for me?", "Write a message to my landlord, please"])
def test_standing_wishes_bear_on_what_is_to_be_done(question: str) -> None:
    ranking, found = search(question)
    assert set(WISHES) <= {one.text for one in found[:6]}
    assert any("instruction" in boosts for boosts in ranking.boosts)


def test_standing_wishes_do_not_bear_on_the_past() -> None:
    ranking, _ = search("Which race did I sign up for?")
    assert not any("instruction" in boosts for boosts in ranking.boosts)
