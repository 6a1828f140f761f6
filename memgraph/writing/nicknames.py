"""Short forms of first names, as far as one name has them commonly. Folded: lower case, no diacritics."""

from __future__ import annotations

from typing import Final

_GROUPS: Final = """
alexander alex sasha xander lex | alexandra alex sasha sandra lexi | andrew andy drew | anthony tony ant
antonio tony toni | barbara barb babs | benjamin ben benny benji | bernadette bernie | catherine cathy kate cat katie
katherine kathy kate katie kat | katarzyna kasia | charles charlie chuck chas | charlotte charlie lottie
christina chris tina chrissie | christine chris chrissie | christopher chris kit | daniel dan danny | david dave davy
deborah deb debbie | dorothy dot dottie | edward ed eddie ned ted teddy | eleanor ellie nell nora
elizabeth liz lizzie beth betty eliza lisa libby bess | emily em emmy | ferdinand ferdi | florence flo florrie
francesca fran | frances fran frankie | francis frank | francisco paco pancho | franziska franzi |
frederick fred freddie
gabriel gabe | gabriella gabi gabby | geoffrey geoff | george georgie | gregory greg | harold harry hal |
henry harry hank
ignacio nacho | isabella bella izzy | jacob jake | james jim jimmy jamie | jennifer jen jenny | jessica jess jessie
johannes hannes | john johnny jack jon | jonathan jon jonny nathan | jose pepe | joseph joe joey | josephine jo josie
joshua josh | judith judy | kenneth ken kenny | kimberly kim | lawrence larry | leonard leo len lenny | louis lou
louise lou | lucille lucy | magdalena magda lena | malgorzata gosia | margaret maggie meg peggy marge greta
maria mia masha | martin marty | mary molly polly | matthew matt | maximilian max | megan meg | melissa mel lissa
michael mike mick mickey mikey | mikhail misha | mohammed mo | muhammad mo | natalia natasha nat | natalie nat
nathaniel nate nathan nat | nicholas nick nicky | nicola nicky nic | oliver ollie | olivia liv livvy | pamela pam
patricia pat patty tricia trish | patrick pat paddy | peter pete | philip phil pip | phillip phil | rachel rach
raymond ray | rebecca becca becky | reginald reg | richard rick dick rich ricky | robert rob bob bobby robbie bert
roberta bobbie | ronald ron ronnie | rosemary rosie | samantha sam sammy | samuel sam sammy | sebastian seb bastian
sophia sophie | stephanie steph | stephen steve | steven steve | susan sue susie | suzanne suzy sue | sven svenni
tatiana tanya | theodore ted theo teddy | theresa tess terry | thomas tom tommy | timothy tim timmy | tobias toby
valentina val tina | valerie val | victor vic | victoria vicky tori | vincent vince vinny | walter walt wally
wilhelm willi | william will bill billy willy liam | yekaterina katya | zachary zach zack
"""


_APART: Final = {
    **{"ann": ("annabel", "annette", "annika"), "anna": ("annabel", "annabelle"), "christ": ("christian",)},
    **{"juli": ("juliet",), "mari": ("marion", "marianne"), "maria": ("marianne", "mariana"), "jean": ("jeanette",)},
    **{"rose": ("rosemary", "rosetta"), "carol": ("caroline",), "paul": ("paulina", "pauline"), "mark": ("markus",)},
    **{"erik": ("erika",), "emma": ("emmanuel",), "eric": ("erica",), "dan": ("dante",), "ada": ("adalyn",)},
}
"""Beginnings that are names of their own, so that they are no short form."""


def _table() -> dict[str, frozenset[str]]:
    forms: dict[str, set[str]] = {}
    for group in _GROUPS.replace("\n", " | ").split("|"):
        full, *short = group.split() or [""]
        for name in short:
            forms.setdefault(full, set()).add(name)
    return {full: frozenset(short) for full, short in forms.items()}


FORMS: Final = _table()
"""By full first name, folded: its short forms."""


def related(a: str, b: str) -> bool:
    """Tell whether one folded first name is a common short form of the other ("bob" and "robert")."""
    if b in FORMS.get(a, ()) or a in FORMS.get(b, ()):
        return True
    short, long = sorted((a, b), key=len)
    return (
        len(short) > 2 and len(long) - len(short) > 1 and long.startswith(short) and long not in _APART.get(short, ())
    )
