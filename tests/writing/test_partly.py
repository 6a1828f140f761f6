"""What holds in part, in doubt or in the head takes no other's place; sentences of our own that stand in no set."""

from __future__ import annotations

import pytest

from memgraph.drafts import Decision, FactDraft, KnownFact, Mode, Operation, SaidTurn, Step
from memgraph.records import OPEN
from memgraph.writing.consolidation import plan
from memgraph.writing.extractor import PatternExtractor

DAY = 86_400_000_000
OLD = 20_000 * DAY  # 4 October 2024
NOW = OLD + 400 * DAY + 3_600_000_000
CLOSING: tuple[tuple[Operation, Mode], ...] = (("UPDATE", "change"), ("DELETE", "ended"), ("DELETE", "retracted"))


def turn_of(text: str, at: int = NOW) -> SaidTurn:
    return SaidTurn(0, "Ada", "user", "user", text, at)


def extracted(text: str, at: int = NOW) -> list[FactDraft]:
    return PatternExtractor().extract([turn_of(text, at)])


def known_of(*texts: str) -> list[KnownFact]:
    drafts = [draft for number, text in enumerate(texts) for draft in extracted(text, OLD + number)]
    return [
        KnownFact(f"f{at}", one.subject, one.attribute, one.object, one.text, one.kind, one.valid_from or OLD, OPEN)
        for at, one in enumerate(drafts)
    ]


def planned(text: str, *olds: str) -> tuple[list[Step], list[KnownFact]]:
    known = known_of(*olds)
    return plan(extracted(text), [turn_of(text)], known), known


def closed(text: str, *olds: str) -> dict[str, str | None]:
    steps, known = planned(text, *olds)
    objects = {fact.alias: fact.object for fact in known}
    return {objects[step.target or ""]: step.mode for step in steps if step.close_at is not None}


LIVES = "I live in Oslo."
WORKS = "I work at Equinor."
NURSE = "I'm a nurse."
VEGAN = "I'm vegan."
MARRIED = "I'm married."

LOOK_ALIKES = [
    (LIVES, "In summer I live in Bergen."),
    (LIVES, "I usually live in Rome in winter."),
    (LIVES, "I think I live in Bergen."),
    (LIVES, "I live in Rome, in my head."),
    (LIVES, "On weekdays I live in Bergen."),
    (LIVES, "I live in Bergen half the year."),
    (LIVES, "During term I live in Bergen."),
    (LIVES, "I guess I live in Bergen."),
    (LIVES, "I live in Bergen, I suppose."),
    (LIVES, "In my dreams I live in Rome."),
    (LIVES, "At heart I live in Rome."),
    (LIVES, "From May to September I live in Bergen."),
    (LIVES, "I live in Bergen every other week."),
    (LIVES, "I live in Bergen Monday to Thursday."),
    (LIVES, "Six months a year I live in Rome."),
    (LIVES, "I live in Bergen on and off."),
    (LIVES, "I live in Bergen when I'm working offshore."),
    (LIVES, "I live in Bergen while the house is painted."),
    (LIVES, "I seem to live in Bergen now."),
    (LIVES, "Emotionally I live in Rome now."),
    (LIVES, "I moved to Bergen in my imagination."),
    (LIVES, "I more or less live in Bergen."),
    (LIVES, "My boat lives in Bergen."),
    (LIVES, "We moved the piano to Bergen."),
    (WORKS, "In summer I work at Nordlys."),
    (WORKS, "I think I work at Nordlys now."),
    (WORKS, "I work at Nordlys one day a week."),
    (WORKS, "Before Christmas I work at Nordlys."),
    (WORKS, "I work at Nordlys in the school holidays."),
    (WORKS, "I got the job in Plymouth!"),
    (WORKS, "I quit my job at the bakery."),
    (NURSE, "I'm a teacher at heart."),
    (NURSE, "Half the year I'm a guide."),
    (NURSE, "I work as a waiter at weekends."),
    (NURSE, "Deep down I'm an artist."),
    (NURSE, "I'm a bit of a carpenter now."),
    (NURSE, "I'm like a therapist now."),
    (NURSE, "I quit my job at the bakery."),
    (VEGAN, "I'm vegetarian on Mondays."),
    (VEGAN, "I'm vegetarian when I travel."),
    (VEGAN, "I'm vegetarian before six."),
    (VEGAN, "I'm mostly vegetarian."),
    (VEGAN, "On holiday I'm pescatarian."),
    (MARRIED, "I guess I'm divorced."),
    (MARRIED, "I feel single."),
    (MARRIED, "I'm single in spirit."),
    ("I love steak.", "I've been a vegetarian since January."),
    ("I love steak.", "I'm a vegetarian now."),
    ("I love coffee.", "I don't love coffee at work."),
    ("I'm allergic to nuts.", "I'm not allergic to all nuts."),
    ("I'm allergic to nuts.", "I think I'm not allergic to nuts."),
    ("I'm allergic to nuts.", "The test was wrong about my iron, and I bought nuts."),
    ("I'm vegetarian.", "I'm not only vegetarian."),
    ("I'm vegetarian.", "I think I'm not vegetarian any more."),
    ("I study law at Leeds.", "On Fridays I study art."),
    ("I'm Catholic.", "I'm Buddhist on Sundays."),
    ("I'm dating Tom.", "In my dreams I'm dating Brad."),
    (LIVES, "I'm living in Bergen during the strike."),
    (LIVES, "Come summer, I live in Bergen."),
    (LIVES, "I wonder whether I live in Bergen."),
    (LIVES, "People think I live in Bergen."),
    (LIVES, "It is as though I live in Bergen."),
    (LIVES, "I live in Bergen. In my head, that is."),
    (LIVES, "I live in Bergen. In summer."),
    (LIVES, "I live in Bergen, but only in summer."),
    (LIVES, "I live in Bergen, mostly."),
    (LIVES, "Some of us live in Bergen."),
    (LIVES, "Twice a month I live in Bergen."),
    (LIVES, "I as good as live in Bergen."),
    (WORKS, "I helped out at Nordlys."),
    (WORKS, "I quit my job as treasurer of the club."),
    (WORKS, "I work at Nordlys when they're short."),
    (NURSE, "I'm a teacher by day and a singer by night."),
    (NURSE, "At the club I'm a coach."),
    (NURSE, "I no longer work nights."),
    (NURSE, "I'm a trained baker."),
    (NURSE, "I'm a carpenter in my spare time."),
    ("I prefer window seats.", "My wife no longer wants window seats."),
    ("I play the cello.", "In winter I don't play the cello."),
    ("My name is Ada Berg.", "On stage my name is Nova Star."),
    ("My phone number is 0171 555 01.", "My work phone number is 0181 444 02."),
    ("Maren lives in Oslo.", "I think Maren lives in Bergen."),
    ("Maren lives in Oslo.", "Maren lives in Bergen on weekdays."),
    ("My brother Sam works at Equinor.", "Sam works at Nordlys when they need him."),
]


@pytest.mark.parametrize(("old", "new"), LOOK_ALIKES)
def test_nothing_is_closed(old: str, new: str) -> None:
    known, turn, words = known_of(old), turn_of(new), new.split()
    assert known
    drafts = extracted(new)
    assert not any(step.close_at is not None for step in plan(drafts, [turn], known))
    runs = {" ".join(words[at:end]) for at in range(len(words)) for end in range(at + 1, min(at + 4, len(words)) + 1)}
    for fact in known:
        made = [FactDraft(fact.subject, fact.attribute, run.strip(" .,!"), run, evidence=(0,), quote=new)
                for run in sorted({*runs, new})]  # fmt: skip
        for draft in (*drafts, *made):
            for operation, mode in CLOSING:
                decision = Decision(operation, mode, fact.alias, quote=new)
                steps = plan([draft], [turn], known, {0: decision})
                assert not any(step.close_at is not None for step in steps), (draft.object, operation, mode)


@pytest.mark.parametrize(
    ("old", "new", "mode"),
    [
        (LIVES, "I moved to Bergen last week.", "change"),
        (LIVES, "I live in Bergen now.", "change"),
        (LIVES, "Last summer I moved to Bergen.", "change"),
        (LIVES, "In May I moved to Bergen.", "change"),
        (LIVES, "I've been living in Bergen since the summer.", "change"),
        (LIVES, "I moved to Bergen, I think that's the best thing I ever did.", "change"),
        (WORKS, "I started at Nordlys on Monday.", "change"),
        (NURSE, "I'm a teacher now.", "change"),
        (VEGAN, "I'm vegetarian now.", "change"),
        (MARRIED, "I'm divorced now.", "change"),
        (LIVES, "I live in Bergen now, and when I cook I sing.", "change"),
        (LIVES, "I moved to Bergen last week, when the snow came.", "change"),
        (LIVES, "I moved to Bergen in March and I love it in summer.", "change"),
        (LIVES, "I live in Bergen now. I think it rains every day.", "change"),
        ("Maren lives in Oslo.", "Maren moved to Bergen last week.", "change"),
        (WORKS, "I started at Nordlys in August, and I work from home on Fridays.", "change"),
        (NURSE, "I'm a carpenter now, and at weekends I sail.", "change"),
        (WORKS, "I quit my job in May.", "ended"),
        ("I'm vegetarian.", "I'm not vegetarian any more.", "ended"),
        ("I'm vegetarian.", "I'm no longer a vegetarian.", "ended"),
        ("I prefer window seats.", "I no longer want window seats.", "ended"),
        ("I prefer window seats.", "I don't want window seats any more.", "ended"),
        ("I prefer aisle seats.", "I don't like aisle seats any more.", "ended"),
        ("I'm allergic to nuts.", "Actually I'm not allergic to nuts, the test was wrong.", "retracted"),
        ("I'm allergic to cats.", "I'm not allergic to cats, the doctor got it wrong.", "retracted"),
        ("I'm allergic to penicillin.", "It was a mistake: I'm not allergic to penicillin.", "retracted"),
        ("I'm allergic to nuts.", "Turns out I'm not allergic to nuts after all.", "ended"),
        ("I love steak.", "I've become a vegetarian.", "ended"),
        ("I love steak.", "I went vegetarian in January.", "ended"),
    ],
)
def test_what_is_plainly_said_closes(old: str, new: str, mode: str) -> None:
    assert mode in closed(new, old).values()


def test_one_of_two_allergies_is_taken_back_and_stays_so() -> None:
    old, new = "I'm allergic to nuts and to wasp stings.", "I'm not allergic to nuts, the test was wrong. Wasps still."
    assert closed(new, old) == {"nuts": "retracted"}
    kept = [KnownFact("f1", "Ada", "allergy", "not allergic to nuts", "Ada is not allergic to nuts.", "state", NOW)]
    (step,) = plan(extracted("I'm allergic to nuts.", OLD), [turn_of("I'm allergic to nuts.", OLD)], kept)
    assert (step.operation, step.adds) == ("NOOP", False)
    (again,) = plan(extracted("I'm not allergic to nuts."), [turn_of("I'm not allergic to nuts.")], kept)
    assert (again.operation, again.close_at) == ("NOOP", None)


def test_an_allergy_that_was_denied_is_told_beside_the_denial() -> None:
    kept = [KnownFact("f1", "Ada", "allergy", "not allergic to nuts", "Ada is not allergic to nuts.", "state", OLD)]
    (step,) = plan(extracted("I'm allergic to nuts."), [turn_of("I'm allergic to nuts.")], kept)
    assert (step.operation, step.adds, step.conflicts) == ("ADD", True, ("f1",))


def test_opposite_tastes_are_linked() -> None:
    for old, new in (("I love coffee.", "I hate coffee."), ("I hate coffee.", "I love coffee.")):
        steps, known = planned(new, old)
        assert [(step.operation, step.conflicts) for step in steps] == [("ADD", (known[0].alias,))]
    assert all(not step.conflicts for step in planned("I hate instant coffee.", "I love coffee.")[0])


def test_who_quits_a_job_has_neither_it_nor_its_title() -> None:
    works = "I work as a nurse at Rikshospitalet."
    assert closed("I quit my job at the hospital.", works) == {"Rikshospitalet": "ended", "nurse": "ended"}
    assert closed("I quit my job.", works) == {"Rikshospitalet": "ended", "nurse": "ended"}
    begun = closed("I started working at Novabank as an analyst.", works)
    assert begun == {"Rikshospitalet": "change", "nurse": "change"}


def test_a_companion_is_refined_once() -> None:
    steps, _ = planned("I have a dog called Bo.", "I have a dog.")
    assert [(step.operation, step.mode) for step in steps] == [("UPDATE", "refine")]
    (draft,) = extracted("I have a dog called Bo.")
    assert {mention.name for mention in draft.entities} == {"Ada", "Bo"}
    assert [(one.source, one.type, one.target) for one in draft.relations] == [("Ada", "owns", "Bo")]


@pytest.mark.parametrize(
    ("text", "habit"),
    [
        ("In summer I live in Bergen.", "Ada lives in Bergen in summer."),
        ("I usually live in Rome in winter.", "Ada usually lives in Rome in winter."),
        ("On Saturdays I work as a baker.", "Ada works as a baker on Saturdays."),
        ("I'm vegetarian on Mondays.", "Ada is vegetarian on Mondays."),
    ],
)
def test_what_holds_in_part_is_a_habit(text: str, habit: str) -> None:
    assert [(draft.attribute, draft.text, draft.relations) for draft in extracted(text)] == [("habit", habit, ())]


@pytest.mark.parametrize(
    "text",
    ["New turn 1.", "Turn 12 is yours.", "I think I live in Bergen.", "I've still got your tent.", "I want to do it.",
     "I'm going to let it be on Friday.", "I work in Plymouth."],
)  # fmt: skip
def test_what_says_nothing_plainly_gives_no_fact(text: str) -> None:
    assert extracted(text) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("I carry two pens and say no to every nut.", "Ada carries two pens and says no to every nut."),
        ("I have a car and don't drive it.", "Ada has a car and doesn't drive it."),
        ("I hate rain but love snow.", "Ada hates rain but loves snow."),
        ("I like to swim and sing.", "Ada likes to swim and sing."),
        ("I moved to Lisbon for a month.", "Ada moved to Lisbon for a month."),
        ("I moved to Lisbon.", "Ada lives in Lisbon, having moved there."),
        ("My brother Sam moved to Leeds in May.", "Ada's brother Sam lives in Leeds, having moved there in May 2025."),
        ("I've booked a table for 20 November.", "Ada has booked a table for 20 November 2025."),
        ("I love swimming in the sea, even in March.", "Ada loves swimming in the sea."),
        ("I live in Oslo. (x zq8)", "Ada lives in Oslo."),
    ],
)
def test_sentences_hold_together(text: str, told: str) -> None:
    assert told in [draft.text for draft in extracted(text)]


def test_a_job_in_a_town_is_with_nobody_named() -> None:
    (draft,) = extracted("I got the job in Plymouth!")
    assert (draft.attribute, draft.relations) == ("event", ())


def test_what_is_booked_lies_ahead() -> None:
    february, september = 20_131 * DAY + 5, 20_334 * DAY + 5  # 12 February, 3 September 2025
    for text, at, day in (
        ("I've entered a half marathon on Sunday 13 April", february, 20_191),
        ("I've signed up for the swim on 28 September", september, 20_359),
    ):
        (draft,) = extracted(text, at)
        assert (draft.kind, draft.valid_from) == ("plan", day * DAY)
    (booked,) = extracted("I booked the flights on 3 February", february)
    assert (booked.kind, booked.valid_from) == ("event", 20_122 * DAY)


def test_what_is_present_and_past_alike_goes_on_with_what_stood_before() -> None:
    assert [draft.object for draft in extracted("I like to swim and read books.")] == ["swim and read books"]


def test_a_taste_begins_in_no_month() -> None:
    assert [draft.valid_from for draft in extracted("I love swimming in the sea, even in March.")] == [None]
    assert [draft.valid_from for draft in extracted("I've lived in Oslo since March.")] != [None]


def test_who_says_something_of_another_is_not_named_by_it() -> None:
    (draft,) = extracted("Jonas works at Equinor.")
    assert [mention.name for mention in draft.entities] == ["Jonas", "Equinor"]
