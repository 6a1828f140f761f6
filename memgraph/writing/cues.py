"""By which words a clause shows of which attribute it speaks."""

from __future__ import annotations

import re
from typing import Final

from memgraph.writing.patterns import any_of, compiled

CUES: Final = {
    name: re.compile(rf"\b(?:{any_of(words)})\b", re.IGNORECASE)
    for name, words in {
        "name": "name surname called call(?:s)?_me named go_by goes_by known_as",
        "age": "turned turn 'm am is 's years birthday age aged hit",
        "birthday": "birthday born birth",
        "birthplace": "born from native_of",
        "residence": (
            r"moved live lives living settled relocated based home address flat apartment house keys unpack\w* lease"
            r" tenancy resident now for_good person people landed ended_up swapped traded place permanent\w* emigrated"
            " front_door postcode upped_sticks been_in since packed_up boxes landlord landlady mortgage balcony"
            " kitchen roof housewarming neighbours? these_days lorry van rent renting street settling local"
            " locals roots sleep door window girl boy crossed back_in back_to returned hello_from greetings_from"
            " (?:got|was|were|been|is|are|'s|'m|am)_(?:re)?(?:posted|stationed)"
            " bought signed"
        ),
        "nationality": r"citizen\w* passport nationality naturalised naturalized became sworn",
        "partner": (
            "dating together girlfriend boyfriend wife husband married engaged partner seeing going_out couple"
            r" fianc\w+ in_love moved_in love_of_my_life an_item lover other_half date"
        ),
        "employer": (
            "work works working employed joined hired job started position employer signed payroll contract badge"
            " desk payslip with now poached boss salary post pays paid wages clock taken_on these_days as_of uniform"
            r" lanyard traded swapped switched first_day office role career hire left moved jumped onboard\w*"
            " took_(?:me|us)_on gone_over went_over over_to snapped teach run runs freelance self-employed my_own at"
        ),
        "occupation": (
            "am is as made promoted became become qualified title job work now position appointed retrained trained"
            " lanyard badge retired new role call_me put_me these_days as_of done teach run hat letter business_card"
            " door 'm 's"
        ),
        "study": (
            "study studies studying enrolled course degree started university uni college school switched transferred"
            r" class reading phd master\w* student doing major changed thesis lectures? semester term campus swapped"
            " now"
        ),
        "diet": (
            "am is gone went eat eats eating diet turned became become back now switched cut stopped gave_up given_up"
            r" without free avoid\w* no quit started plant-based again menu plate wagon only off these_days since as_of"
            " 'm 's"
        ),
        "religion": (
            r"converted became become baptised am is now practi[sc]\w+ confirmed received joined church mosque"
            " synagogue temple 'm 's"
        ),
        "email": r"e-?mail\w* mail address inbox reach write",
        "phone": "phone number mobile cell call text ring reach",
        "native_language": "native mother_tongue first_language",
        "marital_status": (
            r"single married engaged divorced separated widow\w* wed wedded hitched tied_the_knot said_(?:i_do|yes)"
            r" wedding newlyweds? eloped remarried made_it_official registry_office mrs_now husband wife honeymoon\w*"
            r" proposed popped_the_question fianc\w+ getting_married asked_me_to_marry ring_on divorce decree split_up"
            r" broke_up broken_up on_my_own_again no_longer_together passed_away died buried funeral moved_out"
            r" living_apart time_apart lost_my"
        ),
    }.items()
}
"""What a clause must say for it to speak of an attribute: a town without "live" or "moved" is no home."""

NOT_CUES: Final = {
    "employer": compiled(
        rf"\b(?:{any_of('choir club band gym class course church committee')}"
        rf"|(?:{any_of('board league library orchestra')}|{any_of('party union society troupe group')}))\b"
    ),
    "occupation": compiled(
        r"\bat the (?:club|choir|band|league|theatre|church|temple|scouts)\b",
        r"\b(?:at home|kids|toddlers?|twins|household|in our house|school play|by night|of the family|the family)\b",
    ),
}
"""What shows that it speaks of something else."""

FORMS: Final = {
    "age": compiled(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven"
        r"|eigh|nine)ty(?:-\w+)?)\b"
    ),
    "birthday": compiled(
        r"\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|first|second|third|\w+th\b|christmas|new year)"
    ),
    "email": compiled("@|\\bat\\b"),
    "phone": compiled(r"\d"),
    "marital_status": compiled(
        r"\b(?:single|unmarried|(?:re)?married|wed|engaged|betrothed|divorced|separated|widow\w*|partnership)\b"
    ),
}
"""What a value must look like to be one of its attribute, where that can be told."""

PLACES: Final = re.compile(
    r"\b"
    + any_of(
        r"house-?boat narrow-?boat boat flat apartment cottage farm\w* bungalow dorm\w* hostel care_home caravan"
        r" van coast country\w* village city town island suburbs? mountains? sea lake hill commune halls house mill"
        r" barn studio loft council hospital school university college bakery ministry railway clinic bank library"
        r" museum theatre zoo newspaper charity police army navy post_office hotel restaurant cafe café firm"
        r" company agency start-?up shop store garage brewery factory ferry ferries airline airport harbour port"
        r" brigade station court church bookshop laundry nursery kindergarten pharmacy surgery practice lab\w*"
        r" institute co-?op\w* self myself freelance\w* own garden_centre botanic\w* observatory archive foundation"
        r" union department office service authority board publisher paper radio television"
    )
    + r"s?\b",
    re.IGNORECASE,
)
"""Homes and employers that have no name: a farm, the council."""

OTHER_WORDS: Final = {
    "marri": compiled(
        r"\b(?:wed|wedded|hitched|tied the knot|said i do|our wedding|newlyweds?|eloped|remarried|made it official"
        r"|registry office|mrs now|my (?:\w+ )?(?:husband|wife)|husband and wife|honeymoon(?:ed)?)\b"
    ),
    "engag": compiled(
        r"\b(?:proposed|said yes|popped the question|fianc\w+|getting married|asked me to marry|ring on)\b"
    ),
    "divorc": compiled(r"\b(?:divorce|decree)\b"),
    "singl": compiled(r"\b(?:split up|broke up|broken up|on my own again|no longer together|single)\b"),
    "widow": compiled(r"\b(?:lost my (?:husband|wife)|passed away|died|buried|funeral)\b"),
    "separ": compiled(r"\b(?:living apart|time apart|no longer together|moved out)\b"),
}
"""By the stem of a value: other words that say it."""
