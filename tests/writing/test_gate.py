"""The gate holds whatever is decided: what the turn does not plainly say closes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import Decision, FactDraft, KnownFact, Mode, SaidTurn
from memgraph.records import OPEN, ORIGINS
from memgraph.writing.attributes import ATTRIBUTES
from memgraph.writing.gate import brings, rule

DAY = 86_400_000_000
OLD = 19_000 * DAY
NOW = OLD + 300 * DAY
CLOSING: tuple[Mode, ...] = ("change", "ended", "retracted")

HOME = KnownFact("f1", "Ada", "residence", "Oslo", "Ada lives in Oslo.", "state", OLD)
WINGS = KnownFact("f2", "Ada", "likes", "chicken wings", "Ada enjoys chicken wings.", "state", OLD)
LISBON = FactDraft("Ada", "residence", "Lisbon", "Ada lives in Lisbon.")
MOVED = SaidTurn(0, "Ada", "user", "user", "I moved to Lisbon in May.", NOW)
NO_MEAT = FactDraft("Ada", "diet", "no meat", "Ada eats no meat.")
QUIT = SaidTurn(0, "Ada", "user", "user", "Big news: I stopped eating meat.", NOW)

# Attribute, object and text of what is known; a turn that closes nothing; what a draft could make of it.
UNCLOSED = [
    ("residence", "Leeds", "Ada lives in Leeds.", "Our head office has moved to Vienna.", "Vienna"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I'd move to Porto tomorrow if I could.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I'm moving to Porto in the autumn.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "My brother has moved to Porto.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I'm in Porto for the weekend.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I dreamt I lived in Porto.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I basically live at the gym these days.", "gym"),
    ("residence", "Leeds", "Ada lives in Leeds.", "Have you ever lived in Porto?", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I used to live in Porto.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I grew up in Porto.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I'm never leaving Leeds.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I nearly moved to Porto.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I haven't moved to Porto.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "We bought a second flat in Porto to rent out.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "Ben told me he lives in Porto now.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "Marek is gone. Moved to Porto on Sunday.", "Porto"),
    ("residence", "Leeds", "Ada lives in Leeds.", "I left Leeds station at nine.", "Leeds station"),
    ("employer", "Brightwater", "Ada works for Brightwater.", "I resigned from the parish council.", "parish council"),
    ("employer", "Brightwater", "Ada works for Brightwater.", "I joined the Hillside choir.", "Hillside choir"),
    ("employer", "Brightwater", "Ada works for Brightwater.", "I also work Saturdays at Nordlys.", "Nordlys"),
    ("employer", "Brightwater", "Ada works for Brightwater.", "Nordlys offered me a job.", "Nordlys"),
    ("employer", "Brightwater", "Ada works for Brightwater.", "I've an interview at Nordlys now.", "Nordlys"),
    ("employer", "Brightwater", "Ada works for Brightwater.", "My wife works at Nordlys now.", "Nordlys"),
    ("occupation", "nurse", "Ada is a nurse.", "I'm the family taxi driver now, apparently.", "taxi driver"),
    ("marital_status", "married", "Ada is married.", "My sister is divorced now.", "divorced"),
    ("marital_status", "married", "Ada is married.", "I'm married to my job.", "married to job"),
    ("partner", "Tom", "Ada is together with Tom.", "Tom's brother and his girlfriend split up.", "Tom"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "My sister stopped eating meat.", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "I can't stop eating meat.", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "I stopped eating fish.", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "I don't eat meat on Fridays.", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "I've given up meat for Lent.", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "I'm thinking of giving up meat.", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", "Should I stop eating meat?", "chicken wings"),
    ("likes", "chicken wings", "Ada likes chicken wings.", '"I stopped eating meat", said Tom.', "chicken wings"),
    (
        "likes",
        "chicken wings",
        "Ada likes chicken wings.",
        "In 2009 I stopped eating meat for a year.",
        "chicken wings",
    ),
    (
        "likes",
        "chicken wings",
        "Ada likes chicken wings.",
        "I don't just like chicken wings, I love them.",
        "chicken wings",
    ),
    ("likes", "chicken wings", "Ada likes chicken wings.", "I never get tired of chicken wings.", "chicken wings"),
    (
        "likes",
        "chicken wings",
        "Ada likes chicken wings.",
        "I don't eat chicken wings nearly often enough.",
        "chicken wings",
    ),
    ("likes", "coffee", "Ada likes coffee.", "I'm off coffee this week, doctor's orders.", "coffee"),
    ("likes", "coffee", "Ada likes coffee.", "I quit coffee before bed.", "coffee"),
    ("likes", "coffee", "Ada likes coffee.", "I couldn't live without coffee.", "coffee"),
    ("habit", "runs before breakfast", "Ada runs before breakfast.", "I gave up breakfast.", "breakfast"),
    ("pet", "cat called Miso", "Ada has a cat called Miso.", "My neighbour's cat died.", "cat"),
    ("pet", "cat called Miso", "Ada has a cat called Miso.", "Tom's cat died.", "cat"),
    ("pet", "cat called Miso", "Ada has a cat called Miso.", "Our rabbit died on Monday.", "rabbit"),
    (
        "possession",
        "Guzzi motorbike",
        "Ada has a Guzzi motorbike.",
        "I love the Guzzi but the caravan was a pain, so I sold it.",
        "caravan",
    ),
    ("possession", "Guzzi motorbike", "Ada has a Guzzi motorbike.", "I sold Tom's motorbike for him.", "motorbike"),
    ("possession", "Guzzi motorbike", "Ada has a Guzzi motorbike.", "I almost sold the motorbike.", "motorbike"),
    (
        "possession",
        "Guzzi motorbike",
        "Ada has a Guzzi motorbike.",
        "I've sold the motorbike. Just kidding!",
        "motorbike",
    ),
    ("possession", "Guzzi motorbike", "Ada has a Guzzi motorbike.", "I haven't sold the motorbike.", "motorbike"),
    (
        "possession",
        "Guzzi motorbike",
        "Ada has a Guzzi motorbike.",
        "I bought a motorbike lock and lost the key.",
        "lock",
    ),
    ("hobby", "tennis", "Ada plays tennis.", "I quit squash.", "squash"),
    ("hobby", "tennis", "Ada plays tennis.", "I don't play tennis with Tom any more.", "tennis"),
    ("allergy", "peanuts", "Ada is allergic to peanuts.", "My cold is gone.", "peanuts"),
    ("plan", "trip to Crete in May", "Ada plans a trip to Crete.", "Tom's trip to Crete was cancelled.", "Crete"),
    ("plan", "trip to Crete in May", "Ada plans a trip to Crete.", "The dinner was cancelled.", "Crete"),
    ("diet", "vegan", "Ada is vegan.", "I'd never go back to eating meat.", "eats meat"),
    ("diet", "vegan", "Ada is vegan.", "Everyone thinks I'm vegetarian now.", "vegetarian"),
    (
        "residence",
        "Utrecht",
        "Ada lives in Utrecht.",
        "Since the heating failed I live in the airing cupboard.",
        "airing cupboard",
    ),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "My parents live in Ghent now and I visit every month.", "Ghent"),
    (
        "residence",
        "Utrecht",
        "Ada lives in Utrecht.",
        "I live in Ghent, sings the man in the song, and I hum along.",
        "Ghent",
    ),
    (
        "residence",
        "Utrecht",
        "Ada lives in Utrecht.",
        "If the offer comes through I'm living in Ghent by June.",
        "Ghent",
    ),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "Part of me lives in Ghent.", "Ghent"),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "How would you feel about us living in Ghent?", "Ghent"),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "I'm working from Ghent until Easter.", "Ghent"),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "Before Utrecht we lived in Ghent.", "Ghent"),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "The man next door has moved to Ghent.", "Ghent"),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "Lotte's moved to Ghent with her two cats.", "Ghent"),
    ("residence", "Utrecht", "Ada lives in Utrecht.", "Ada Jansen next door has moved to Ghent.", "Ghent"),
    (
        "residence",
        "Utrecht",
        "Ada lives in Utrecht.",
        "We're cat-sitting in Ghent, so I live there with six cats until Sunday.",
        "Ghent",
    ),
    (
        "employer",
        "Castle Dental",
        "Ada works at Castle Dental.",
        "Bright Smiles called. They want me. I said I'd sleep on it.",
        "Bright Smiles",
    ),
    (
        "employer",
        "Castle Dental",
        "Ada works at Castle Dental.",
        "I'm giving a talk at Bright Smiles today.",
        "Bright Smiles",
    ),
    (
        "employer",
        "Castle Dental",
        "Ada works at Castle Dental.",
        "I worked at Bright Smiles straight after college.",
        "Bright Smiles",
    ),
    (
        "employer",
        "Castle Dental",
        "Ada works at Castle Dental.",
        "At this rate I'll be fired from Castle Dental by Christmas.",
        "Castle Dental",
    ),
    (
        "employer",
        "Castle Dental",
        "Ada works at Castle Dental.",
        "I'm so done with Mondays at Castle Dental.",
        "Castle Dental",
    ),
    (
        "occupation",
        "sous-chef",
        "Ada is a sous-chef.",
        "I've been promoted to chief potato peeler, send help.",
        "chief potato peeler",
    ),
    ("occupation", "sous-chef", "Ada is a sous-chef.", "With three kids at home I'm a referee now.", "referee"),
    ("occupation", "sous-chef", "Ada is a sous-chef.", "In the school play I'm a surgeon.", "surgeon"),
    ("occupation", "sous-chef", "Ada is a sous-chef.", "My therapist says I'm a perfectionist now.", "perfectionist"),
    ("marital_status", "married", "Ada is married.", "Some days I'm single in my head.", "single"),
    ("marital_status", "single", "Ada is single.", "Everyone at the office got married this summer.", "married"),
    ("marital_status", "single", "Ada is single.", "At this point I'm married to the sea.", "married"),
    ("diet", "vegan", "Ada is vegan.", "At my gran's I'm vegetarian, it's easier.", "vegetarian"),
    ("diet", "vegan", "Ada is vegan.", "What if I was vegetarian instead?", "vegetarian"),
    ("likes", "gin", "Ada likes gin.", "No gin for me tonight, I'm driving.", "gin"),
    ("likes", "gin", "Ada likes gin.", "I don't like rum at all.", "rum"),
    ("likes", "gin", "Ada likes gin.", "I gave up sugar.", "sugar"),
    ("likes", "gin", "Ada likes gin.", "Stop me if I've told you: I never say no to gin.", "gin"),
    ("likes", "gin", "Ada likes gin.", "I've never stopped loving gin.", "gin"),
    ("likes", "gin", "Ada likes gin.", "I don't drink gin, I worship it.", "gin"),
    ("likes", "gin", "Ada likes gin.", "My doctor wants me to give up alcohol.", "gin"),
    ("likes", "gin", "Ada likes gin.", "You should give up alcohol for a month.", "gin"),
    ("likes", "gin", "Ada likes gin.", "Tom and Ada Jansen gave up alcohol.", "gin"),
    (
        "habit",
        "swims every morning",
        "Ada swims every morning.",
        "I've stopped swimming in the indoor pool, the sea is better.",
        "swimming",
    ),
    ("hobby", "choir", "Ada sings in a choir.", "I left the choir rehearsal early.", "choir"),
    ("hobby", "choir", "Ada sings in a choir.", "I left my scarf at the choir.", "choir"),
    ("hobby", "choir", "Ada sings in a choir.", "Lotte has left the choir.", "choir"),
    ("hobby", "violin", "Ada plays the violin.", "I packed the violin in its case.", "violin"),
    ("hobby", "violin", "Ada plays the violin.", "I've packed in the cello, the violin is enough.", "violin"),
    ("possession", "Brompton", "Ada has a Brompton.", "I sold the cargo bike, the Brompton stays.", "cargo bike"),
    ("possession", "Brompton", "Ada has a Brompton.", "I sold the bike rack.", "bike rack"),
    ("possession", "Brompton", "Ada has a Brompton.", "I don't have a helmet.", "helmet"),
    ("possession", "Brompton", "Ada has a Brompton.", "If I sold the bike I could buy a kayak.", "bike"),
    ("possession", "piano", "Ada has a piano.", "The neighbours have sold their piano.", "piano"),
    ("pet", "parrot Kiki", "Ada has a parrot called Kiki.", "The parrot in the film died.", "parrot"),
    ("pet", "parrot Kiki", "Ada has a parrot called Kiki.", "Kiki nearly died of fright.", "Kiki"),
    ("pet", "parrot Kiki", "Ada has a parrot called Kiki.", "Kiki died laughing, or so it sounded.", "Kiki"),
    ("partner", "Marius", "Ada is with Marius.", "Marius and I split the bill.", "Marius"),
    ("partner", "Marius", "Ada is with Marius.", "Marius left me a note.", "Marius"),
    ("partner", "Marius", "Ada is with Marius.", "Marius and his band have split up.", "Marius"),
    ("partner", "Marius", "Ada is with Marius.", "I'm off to the cinema with Jonas.", "Jonas"),
    ("health", "migraines", "Ada gets migraines.", "Lotte's migraines are gone.", "migraines"),
    ("health", "migraines", "Ada gets migraines.", "My cold is gone, the migraines not.", "cold"),
    ("health", "migraines", "Ada gets migraines.", "The migraine is gone for today.", "migraine"),
    (
        "plan",
        "trip to Naples",
        "Ada plans a trip to Naples.",
        "The ferry was cancelled, we take the train to Naples.",
        "Naples",
    ),
    ("plan", "trip to Naples", "Ada plans a trip to Naples.", "What if Naples is cancelled?", "Naples"),
    ("medication", "iron tablets", "Ada takes iron tablets.", "I stopped taking zinc.", "zinc"),
    ("allergy", "cats", "Ada is allergic to cats.", "I'm not allergic to dogs.", "dogs"),
    ("pet", "llama", "Ada has a llama.", "I was joking with the llama in the field.", "llama"),
    ("pet", "llama", "Ada has a llama.", "I bought a second llama. Just kidding!", "llama"),
    ("language", "Basque", "Ada speaks Basque.", "It's not true that Basque is hard.", "Basque"),
    ("family", "twin brother", "Ada has a twin brother.", "My twin brother never lived in Ghent.", "twin brother"),
    ("residence", "Graz", "Ada lives in Graz.", "My heart lives in Linz.", "Linz"),
]


def hostile(target: str, text: str) -> list[Decision]:
    return [
        Decision(operation, mode, target, quote=quote)
        for operation in ("UPDATE", "DELETE")
        for mode in CLOSING
        for quote in (text, "", text.split(".")[0], "the user said so")
    ]


@pytest.mark.parametrize(("attribute", "value", "about", "text", "claimed"), UNCLOSED)
def test_closes_nothing(attribute: str, value: str, about: str, text: str, claimed: str) -> None:
    kind = "plan" if attribute == "plan" else "state"
    fact = KnownFact("f1", "Ada", attribute, value, about, kind, OLD)
    turn = SaidTurn(0, "Ada", "user", "user", text, NOW)
    for draft in (
        FactDraft("Ada", attribute, claimed, f"Ada: {claimed}.", kind),
        FactDraft("Ada", attribute, value, about, kind, quote=text),
        FactDraft("Ada", attribute, text, text, kind),
    ):
        for decision in hostile("f1", text):
            assert not rule(draft, turn, [fact], decision).closes, (draft.object, decision)


def test_a_change_closes_where_the_new_begins() -> None:
    begins = NOW - 30 * DAY
    ruling = rule(replace(LISBON, valid_from=begins), MOVED, [HOME, WINGS], Decision("UPDATE", "change", "f1"))
    assert (ruling.gate, ruling.closes, ruling.close_at, ruling.conflicts) == ("a", True, begins, ())
    assert ruling.decision.mode == "change"


def test_an_end_in_place_of_a_change_is_a_change() -> None:
    ruling = rule(LISBON, MOVED, [HOME], Decision("DELETE", "ended", "f1"))
    assert (ruling.decision.operation, ruling.decision.mode, ruling.close_at) == ("UPDATE", "change", NOW)


def test_a_quoted_end_closes() -> None:
    ruling = rule(NO_MEAT, QUIT, [WINGS], Decision("DELETE", "ended", "f2", quote="I stopped eating meat"))
    assert (ruling.gate, ruling.closes, ruling.close_at) == ("b", True, NOW)
    assert ruling.decision.quote in QUIT.text


def test_the_draft_may_bring_the_quote() -> None:
    draft = replace(NO_MEAT, quote="I stopped eating meat")
    assert rule(draft, QUIT, [WINGS], Decision("DELETE", "ended", "f2")).closes


@pytest.mark.parametrize("quote", ["", " ", "I gave up meat", "i stopped eating meat", "Big news", "meat."])
def test_other_words_than_the_turns_close_nothing(quote: str) -> None:
    ruling = rule(NO_MEAT, QUIT, [WINGS], Decision("DELETE", "ended", "f2", quote=quote))
    assert not ruling.closes
    assert ruling.conflicts == ("f2",)


def test_an_unknown_alias_is_no_target() -> None:
    for mode in ("refine", *CLOSING):
        ruling = rule(LISBON, MOVED, [HOME], Decision("UPDATE", mode, "f9"))  # type: ignore[arg-type]
        assert (ruling.decision.operation, ruling.decision.target, ruling.closes) == ("ADD", None, False)
        assert ruling.conflicts == ("f1",)
    assert rule(LISBON, MOVED, [], Decision("NOOP", target="f9")).decision == Decision("NOOP")


def test_a_contradiction_outside_the_gate_is_linked() -> None:
    turn = replace(MOVED, text="My brother moved to Lisbon.")
    ruling = rule(LISBON, turn, [HOME], Decision("UPDATE", "change", "f1"))
    assert (ruling.decision.operation, ruling.closes, ruling.conflicts) == ("ADD", False, ("f1",))
    assert ruling.gate.startswith("refused: ")
    assert rule(LISBON, turn, [HOME], Decision("ADD")).conflicts == ("f1",)


@pytest.mark.parametrize("origin", ["tool", "document"])
def test_untrusted_words_close_nothing_of_the_users(origin: str) -> None:
    turn = replace(MOVED, origin=origin)  # type: ignore[arg-type]
    ruling = rule(LISBON, turn, [HOME], Decision("UPDATE", "change", "f1"))
    assert (ruling.gate, ruling.closes, ruling.conflicts) == ("refused: untrusted origin", False, ("f1",))
    assert rule(LISBON, turn, [replace(HOME, untrusted=True)], Decision("UPDATE", "change", "f1")).closes


def test_an_assistant_closes_nothing() -> None:
    turn = replace(MOVED, role="assistant", origin="assistant")
    assert not rule(LISBON, turn, [HOME], Decision("UPDATE", "change", "f1")).closes


def test_late_news_closes_nothing_newer() -> None:
    late = replace(LISBON, valid_from=OLD - DAY)
    assert not rule(late, MOVED, [HOME], Decision("UPDATE", "change", "f1")).closes
    dated = replace(MOVED, text="In 2009 I moved to Lisbon.")
    assert not rule(LISBON, dated, [HOME], Decision("UPDATE", "change", "f1")).closes
    assert not rule(replace(LISBON, valid_to=NOW), MOVED, [HOME], Decision("UPDATE", "change", "f1")).closes
    assert not rule(replace(LISBON, valid_from=NOW + DAY), MOVED, [HOME], Decision("UPDATE", "change", "f1")).closes


def test_what_is_closed_stays_as_it_is() -> None:
    assert not rule(LISBON, MOVED, [replace(HOME, valid_to=NOW)], Decision("UPDATE", "change", "f1")).closes


def test_more_detail_is_no_change() -> None:
    alfama = replace(LISBON, object="Alfama, Lisbon")
    turn = replace(MOVED, text="I live in Alfama, Lisbon.")
    home = replace(HOME, object="Lisbon", text="Ada lives in Lisbon.")
    assert not rule(alfama, turn, [home], Decision("UPDATE", "change", "f1")).closes
    ruling = rule(alfama, turn, [home], Decision("UPDATE", "refine", "f1"))
    assert (ruling.decision.mode, ruling.closes, ruling.close_at) == ("refine", False, None)


def test_another_value_refines_nothing() -> None:
    ruling = rule(LISBON, MOVED, [HOME], Decision("UPDATE", "refine", "f1"))
    assert (ruling.decision.operation, ruling.conflicts) == ("ADD", ("f1",))


def test_only_what_is_taken_back_is_retracted() -> None:
    llama = KnownFact("f3", "Ada", "pet", "a llama", "Ada has a llama.", "state", OLD)
    none = FactDraft("Ada", "pet", "llama", "Ada has no llama.")
    said = replace(MOVED, text="I was joking about the llama.")
    ruling = rule(none, said, [llama], Decision("DELETE", "retracted", "f3", quote="I was joking about the llama"))
    assert (ruling.decision.mode, ruling.closes, ruling.close_at) == ("retracted", True, OLD)
    sold = replace(MOVED, text="I sold the llama.")
    assert not rule(none, sold, [llama], Decision("DELETE", "retracted", "f3", quote="I sold the llama")).closes


def test_an_end_may_bring_something_new() -> None:
    pixel = KnownFact("f4", "Ada", "possession", "Pixel", "Ada has a Pixel phone.", "state", OLD)
    assert brings(FactDraft("Ada", "possession", "Fairphone", "Ada has a Fairphone."), pixel)
    assert not brings(FactDraft("Ada", "possession", "phone", "Ada has no phone."), pixel)


WORDS = [
    *"I we my Ada Ben Lisbon Oslo moved live to in from the no longer stopped eating meat not if would was joking and".split(),
    *"about sold left quit now he she said yesterday any more chicken wings don't ? . , \" \n never job works at".split(),
]
texts = st.one_of(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), st.text(max_size=60))
times = st.integers(-(2**62), 2**62)
names = st.one_of(st.sampled_from(["Ada", "ada", "Ben", "user", ""]), st.text(max_size=8))
attributes = st.one_of(st.sampled_from(sorted(ATTRIBUTES)), st.text(max_size=8))
kinds = st.sampled_from(["state", "event", "plan"])
facts = st.builds(
    KnownFact,
    alias=st.sampled_from(["f1", "f2", "f3", ""]),
    subject=names,
    attribute=attributes,
    object=texts,
    text=texts,
    kind=kinds,
    valid_from=times,
    valid_to=st.one_of(st.just(OPEN), times),
    untrusted=st.booleans(),
)
drafts = st.builds(
    FactDraft,
    subject=names,
    attribute=attributes,
    object=texts,
    text=texts,
    kind=kinds,
    valid_from=st.one_of(st.none(), times),
    valid_to=st.one_of(st.none(), times),
    quote=texts,
)
turns = st.builds(
    SaidTurn,
    index=st.just(0),
    speaker=names,
    role=st.sampled_from(["user", "assistant", "tool", ""]),
    origin=st.sampled_from(ORIGINS),
    text=texts,
    said_at=times,
)
decisions = st.builds(
    Decision,
    operation=st.sampled_from(["ADD", "UPDATE", "DELETE", "NOOP"]),
    mode=st.sampled_from([None, "refine", "change", "ended", "retracted"]),
    target=st.sampled_from([None, "f1", "f2", "f3", "f9", ""]),
    quote=texts,
)


@given(
    draft=drafts, turn=turns, known=st.lists(facts, max_size=3, unique_by=lambda fact: fact.alias), decision=decisions
)
def test_whatever_comes_the_ruling_is_sound(
    draft: FactDraft, turn: SaidTurn, known: list[KnownFact], decision: Decision
) -> None:
    # Half of the time the quote is the turn's.
    for tried in (decision, replace(decision, quote=turn.text)):
        ruling = rule(draft, turn, known, tried)
        shown = {fact.alias: fact for fact in known}
        assert set(ruling.conflicts) <= set(shown)
        assert ruling.decision.target is None or ruling.decision.target in shown
        assert ruling.closes == (ruling.close_at is not None) == (ruling.gate in ("a", "b"))
        assert ruling.closes == (ruling.decision.mode in CLOSING)
        if ruling.closes:
            assert ruling.decision.target is not None
            target = shown[ruling.decision.target]
            assert target.subject.casefold().split() == draft.subject.casefold().split() or draft.subject
            assert ruling.close_at is not None
            assert ruling.close_at >= target.valid_from
            assert turn.role != "assistant"
            assert turn.origin in ("user", "tool", "document")
            assert target.untrusted or turn.origin == "user"
