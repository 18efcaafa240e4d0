"""The two family trees: what is asked of them, counted and derived a second time from a list of parents."""

import numpy as np

from engine.historic.codes import TRAITS, told
from engine.historic.families import (
    BRANCH,
    ENGLISH,
    GENERATION,
    ITALIAN,
    MEN,
    PEOPLE,
    RELATIONS,
    facts,
)

FATHERS = {"Arthur": "Christopher", "Victoria": "Christopher", "James": "Andrew", "Jennifer": "Andrew",
           "Colin": "James", "Charlotte": "James"}  # fmt: skip
MOTHERS = {"Arthur": "Penelope", "Victoria": "Penelope", "James": "Christine", "Jennifer": "Christine",
           "Colin": "Victoria", "Charlotte": "Victoria"}  # fmt: skip
COUPLES = {frozenset(pair) for pair in (("Christopher", "Penelope"), ("Andrew", "Christine"),
           ("Margaret", "Arthur"), ("Victoria", "James"), ("Jennifer", "Charles"))}  # fmt: skip


def holds(person: str, relation: str, other: str) -> bool:
    """Whether `other` is that to `person`, by definitions that look at pairs instead of walking the tree."""
    if (other in MEN) != (RELATIONS.index(relation) % 2 == 0) or other == person:
        return False
    parents = {FATHERS.get(person), MOTHERS.get(person)} - {None}
    siblings = {name for name in FATHERS if name != person and FATHERS[name] == FATHERS.get(person)}
    match relation:
        case "father" | "mother":
            return other in parents
        case "husband" | "wife":
            return frozenset((person, other)) in COUPLES
        case "son" | "daughter":
            return person in (FATHERS.get(other), MOTHERS.get(other))
        case "brother" | "sister":
            return other in siblings
        case "uncle" | "aunt":
            return is_aunt_or_uncle(person, other)
    return is_aunt_or_uncle(other, person)


def is_aunt_or_uncle(person: str, other: str) -> bool:
    by_birth = {
        name
        for parent in (FATHERS.get(person), MOTHERS.get(person))
        for name in FATHERS
        if parent and name != parent and FATHERS[name] == FATHERS.get(parent)
    }
    return other in by_birth or any(frozenset((other, name)) in COUPLES for name in by_birth)


def test_there_are_104_questions_with_112_answers() -> None:
    """104: Hinton 1986. 112 pairs of people: the relational data made of it (Quinlan 1990)."""
    assert len(facts()) == len({(person, relation) for person, relation, _ in facts()}) == 104
    assert sum(len(answers) for *_, answers in facts()) == 112


def test_every_english_fact_holds_and_none_is_missing() -> None:
    known = {(person, relation): set(answers) for person, relation, answers in facts()[:52]}
    for person in ENGLISH:
        for relation in RELATIONS:
            expected = {other for other in ENGLISH if holds(person, relation, other)}
            assert known.get((person, relation), set()) == expected, (person, relation)


def test_colin_has_two_aunts() -> None:
    """The question that figure 3 of the Nature paper shows."""
    assert ("Colin", "aunt", ("Margaret", "Jennifer")) in facts()


def test_the_italians_are_the_same_family() -> None:
    same = dict(zip(ENGLISH, ITALIAN, strict=True))
    for (person, relation, answers), italian in zip(facts()[:52], facts()[52:], strict=True):
        assert italian == (same[person], relation, tuple(same[name] for name in answers))


def test_generations_are_those_of_the_tree() -> None:
    place = dict(zip(ENGLISH, GENERATION, strict=True))
    for child, father in FATHERS.items():
        assert place[child] == place[father] + 1
    assert all(len({place[name] for name in couple}) == 1 for couple in COUPLES)
    side = dict(zip(ENGLISH, BRANCH, strict=True))
    for child in ("Arthur", "Victoria", "James", "Jennifer"):
        assert side[child] == side[FATHERS[child]]


def test_what_a_unit_tells_is_a_share_of_variance() -> None:
    """Against the sum of squares between groups, divided by the total, one group at a time."""
    random = np.random.default_rng(0)
    codes = random.random((len(PEOPLE), 3)).astype(np.float32)
    codes[:, 1] = TRAITS["nationality"]
    codes[:, 2] = 0.5
    found = told(codes)
    for k, trait in enumerate(TRAITS.values()):
        x = codes[:, 0].astype(np.float64)
        between = sum(
            (trait == g).sum() * (x[trait == g].mean() - x.mean()) ** 2 for g in set(trait.tolist())
        )
        np.testing.assert_allclose(found[0, k], between / ((x - x.mean()) ** 2).sum(), rtol=1e-6)
    np.testing.assert_allclose(found[1], [1.0, 0.0, 0.0], atol=1e-12)
    assert np.isnan(found[2]).all()
