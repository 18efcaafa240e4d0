"""Two family trees of the same shape, and all that can be asked of them: who is whose aunt?

Hinton, "Learning distributed representations of concepts", 1986. Only marriages and children are written
down; the twelve relationships follow from them.
"""

from __future__ import annotations

from functools import cache

ENGLISH = (
    "Christopher", "Penelope", "Andrew", "Christine", "Margaret", "Arthur",
    "Victoria", "James", "Jennifer", "Charles", "Colin", "Charlotte",
)  # fmt: skip
ITALIAN = (
    "Roberto", "Maria", "Pierro", "Francesca", "Gina", "Emilio",
    "Lucia", "Marco", "Angela", "Tomaso", "Alfonso", "Sophia",
)  # fmt: skip
PEOPLE = (*ENGLISH, *ITALIAN)
MEN = {"Christopher", "Andrew", "Arthur", "James", "Charles", "Colin"}
MARRIAGES: dict[tuple[str, str], tuple[str, ...]] = {  # with their children
    ("Christopher", "Penelope"): ("Arthur", "Victoria"),
    ("Andrew", "Christine"): ("James", "Jennifer"),
    ("Margaret", "Arthur"): (),
    ("Victoria", "James"): ("Colin", "Charlotte"),
    ("Jennifer", "Charles"): (),
}
RELATIONS = (
    "father", "mother", "husband", "wife", "son", "daughter",
    "uncle", "aunt", "brother", "sister", "nephew", "niece",
)  # fmt: skip

GENERATION = (0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2)  # of the English, and of the Italians in their places
BRANCH = (-1, -1, 1, 1, -1, -1, -1, 1, 1, 1, 0, 0)  # Christopher's family, Andrew's, or both

Fact = tuple[str, str, tuple[str, ...]]  # a person, a relationship, and all who are that to this person


def parents(person: str) -> tuple[str, ...]:
    return next((couple for couple, children in MARRIAGES.items() if person in children), ())


def children(person: str) -> list[str]:
    return [child for couple, born in MARRIAGES.items() if person in couple for child in born]


def partners(person: str) -> list[str]:
    return [other for couple in MARRIAGES if person in couple for other in couple if other != person]


def siblings(person: str) -> list[str]:
    return [other for parent in parents(person)[:1] for other in children(parent) if other != person]


def aunts_and_uncles(person: str) -> list[str]:
    """The siblings of the parents, and whom they are married to."""
    born = [other for parent in parents(person) for other in siblings(parent)]
    return [*born, *(married for other in born for married in partners(other))]


def related(person: str, relation: str) -> tuple[str, ...]:
    """Those whom an English person has as father, aunt and so on, in the order of the tree."""
    nephews_and_nieces = [other for other in ENGLISH if person in aunts_and_uncles(other)]
    of_either_sex = {
        ("father", "mother"): parents(person),
        ("husband", "wife"): partners(person),
        ("son", "daughter"): children(person),
        ("uncle", "aunt"): aunts_and_uncles(person),
        ("brother", "sister"): siblings(person),
        ("nephew", "niece"): nephews_and_nieces,
    }
    pair, found = next((pair, found) for pair, found in of_either_sex.items() if relation in pair)
    is_male = relation == pair[0]
    return tuple(other for other in ENGLISH if other in found and (other in MEN) == is_male)


@cache
def facts() -> tuple[Fact, ...]:
    """All questions that have an answer, with all their answers: of the English, then of the Italians."""
    english = [
        (person, relation, answers)
        for person in ENGLISH
        for relation in RELATIONS
        if (answers := related(person, relation))
    ]
    same = dict(zip(ENGLISH, ITALIAN, strict=True))
    italian = [
        (same[person], relation, tuple(same[answer] for answer in answers))
        for person, relation, answers in english
    ]
    return (*english, *italian)
