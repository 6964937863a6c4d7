"""Single pairs, the odd ones above all: who is merged, who is looked at, who is left apart, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.matching.engine import Scored, score_pair
from models.domain.matching.levels import LEVELS, Agreement, Level, compare
from models.domain.matching.person import person_of
from models.domain.matching.policy import Ground, Veto, judge
from models.domain.matching.weights import PRIOR_WEIGHTS
from models.domain.resident_id import check_character
from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_sets import TODAY, Maker, Values, misspelt, transposed, twin_books

AUTO, REVIEW, DIFFERENT = MatchVerdict.AUTO, MatchVerdict.REVIEW, MatchVerdict.DIFFERENT
AGREEMENTS = st.builds(
    Agreement, **{field: st.sampled_from((*levels, Level.MISSING)) for field, levels in LEVELS.items()}
)


def _number(body: str) -> str:
    return body + check_character(body)


ANNA: Values = {
    "name": "张晓明",
    "sex": "M",
    "birth_date": "1980-05-06",
    "id_type": "resident-id",
    "id_number": _number("11010519800506123"),
    "mobile": "+8613655512345",
    "email": "xm.zhang@163.com",
    "account": "6222021234567890123",
    "address": "北京市朝阳区建设路12号阳光花园3栋2单元502室",
}
ANOTHER_NUMBER = _number("11010519800506125")


def _pair(one: Values, other: Values, *, shared: frozenset[str] = frozenset()) -> Scored:
    return score_pair(person_of(one, today=TODAY), person_of(other, today=TODAY), weights=PRIOR_WEIGHTS, shared=shared)


def _verdict(**changed: str | None) -> MatchVerdict:
    return _pair(ANNA, ANNA | changed).judgement.verdict


@pytest.mark.parametrize(
    "name",
    ["張曉明", "张 晓 明", "张晓明（先生）", "ZHANG XIAOMING", "Xiaoming Zhang", "张小明", "张晓铭"],
)
def test_one_proven_number_and_a_name_that_is_written_otherwise_are_one_person(name: str) -> None:
    assert _verdict(name=name, mobile=None, email=None, address=None, account=None) is AUTO


@pytest.mark.parametrize("name", ["李桂芳", "张晓军", "WANG FANG", "张建国"])
def test_one_number_under_another_name_goes_to_two_persons(name: str) -> None:
    judgement = _pair(ANNA, ANNA | {"name": name, "email": None}).judgement
    assert judgement.verdict is REVIEW
    assert judgement.vetoes == (Veto.NAME_GUARD,)
    assert judgement.high_risk


def test_a_number_of_the_other_sex_may_be_somebody_elses() -> None:
    """A sister's number in the brother's record, and a slip that makes one name of theirs."""
    sisters = ANNA | {"sex": "F", "id_number": ANOTHER_NUMBER[:16] + "4"}
    sisters["id_number"] = _number(str(sisters["id_number"])[:17])
    under_one_number = _pair(sisters, sisters | {"sex": "M"}).judgement
    without_his = _pair(sisters | {"sex": "M"}, ANNA | {"id_number": None, "sex": "F"}).judgement
    assert (under_one_number.verdict, under_one_number.vetoes) == (REVIEW, (Veto.SEX_CONFLICT,))
    assert (without_his.verdict, without_his.vetoes) == (REVIEW, (Veto.SEX_CONFLICT,))


def test_a_broken_number_two_slips_from_the_proven_one_may_be_a_twins() -> None:
    """Numbers of twins differ in sequence and check character; everything else may be the family's."""
    number = str(ANNA["id_number"])
    broken = number[:16] + str((int(number[16]) + 4) % 10) + ("0" if number[17] != "0" else "1")
    judged = _pair(ANNA, ANNA | {"id_number": broken})
    assert (judged.agreement.identity, judged.judgement.verdict) == (Level.NEAR, REVIEW)


def test_the_15_digit_number_is_the_18_digit_one() -> None:
    legacy = str(ANNA["id_number"])[:6] + str(ANNA["id_number"])[8:17]
    assert len(legacy) == 15
    assert _verdict(id_number=legacy, mobile=None, email=None, account=None) is AUTO


def test_exchanged_digits_break_the_check_character_and_so_veto_nothing() -> None:
    for seed in range(20):
        number = transposed(str(ANNA["id_number"]), Maker(seed).rng)
        judged = _pair(ANNA, ANNA | {"id_number": number})
        assert judged.agreement.identity is Level.REPAIRED
        assert judged.judgement.verdict is AUTO
        assert not judged.judgement.vetoes


def test_two_proven_numbers_are_never_merged_however_alike_the_rest() -> None:
    everything = _pair(ANNA, ANNA | {"id_number": ANOTHER_NUMBER})
    assert everything.judgement.verdict is REVIEW
    assert Veto.ID_CONFLICT in everything.judgement.vetoes
    assert _verdict(id_number=ANOTHER_NUMBER, name="张晓亮") is DIFFERENT


@pytest.mark.parametrize("contact", ["mobile", "email", "account"])
def test_name_birth_date_and_one_contact_of_ones_own_are_enough(contact: str) -> None:
    others = dict.fromkeys({"mobile", "email", "account", "address"} - {contact})
    judged = _pair(ANNA | {"id_number": None}, ANNA | others)
    assert (judged.judgement.verdict, judged.judgement.ground) == (AUTO, Ground.OWN_CONTACT)
    # The same contact, but others have it too: a household's.
    assert _pair(ANNA | {"id_number": None}, ANNA | others, shared=frozenset({contact})).judgement.verdict is REVIEW


def test_name_birth_date_and_a_home_where_nobody_else_was_born_on_that_day_are_enough() -> None:
    home = ANNA | dict.fromkeys(("id_number", "email", "account")) | {"mobile": "+8613912345678"}
    judged = _pair(ANNA, home)
    assert (judged.judgement.verdict, judged.judgement.ground) == (AUTO, Ground.OWN_HOME)
    # A twin lives there too, a slip is in the name or the date, the home is another, or no house is named.
    assert _pair(ANNA, home, shared=frozenset({"address"})).judgement.verdict is REVIEW
    for slip in ({"name": "张小明"}, {"birth_date": "1980-05-07"}, {"address": "北京市朝阳区建设路21号"}):
        assert _pair(ANNA, home | slip).judgement.verdict is not AUTO
    village = {"address": "河北省保定市望都县赵庄乡赵庄村"}
    assert _pair(ANNA | village, home | village).judgement.verdict is REVIEW
    # Nor does a home outweigh a number that is another one.
    assert _pair(ANNA, home | {"id_number": ANOTHER_NUMBER}).judgement.verdict is not AUTO


def test_a_broken_number_one_slip_from_the_proven_one_suffices_with_name_and_birth_date() -> None:
    nothing_else: Values = dict.fromkeys(("mobile", "email", "account", "address"))
    number = str(ANNA["id_number"])
    exchanged = f"{number[:10]}{number[11]}{number[10]}{number[12:]}"
    for broken in (f"{number[:3]}9{number[4:]}", f"{number[:-1]}O", number[:17], exchanged):
        judged = _pair(ANNA, ANNA | nothing_else | {"id_number": broken}).judgement
        assert (judged.verdict, judged.ground) == (AUTO, Ground.REPAIRED_NUMBER), broken
        for other in ({"name": "张晓亮"}, {"name": "张小明"}, {"birth_date": "1980-05-07"}):
            assert _verdict(**nothing_else | {"id_number": broken} | other) is not AUTO
    # With something of one's own a slip in one of them is forgiven, another name is not.
    broken = f"{number[:3]}9{number[4:]}"
    assert _verdict(id_number=broken, birth_date="1980-05-07") is AUTO
    assert _verdict(id_number=broken, name="张小明", address=None) is AUTO
    assert _verdict(id_number=broken, name="张晓亮") is REVIEW


@pytest.mark.parametrize("slips", [2, 3])
def test_a_number_further_away_than_one_slip_is_not_repaired(slips: int) -> None:
    number = str(ANNA["id_number"])
    broken = number[:1] + "".join(str((int(digit) + 1) % 10) for digit in number[1 : 1 + slips]) + number[1 + slips :]
    nothing_else: Values = dict.fromkeys(("mobile", "email", "account", "address"))
    assert _verdict(**nothing_else, id_number=broken) is REVIEW


def test_a_legacy_number_one_digit_away_may_be_a_twins_and_repairs_nothing() -> None:
    nothing_else: Values = dict.fromkeys(("mobile", "email", "account", "address"))
    legacy = ANOTHER_NUMBER[:6] + ANOTHER_NUMBER[8:17]
    assert _pair(ANNA, ANNA | nothing_else | {"id_number": legacy}).judgement.verdict is REVIEW


@pytest.mark.parametrize("field", ["mobile", "account"])
def test_a_contact_one_slip_apart_is_evidence_like_an_equal_one(field: str) -> None:
    others = dict.fromkeys({"mobile", "email", "account", "address"} - {field})
    slipped = str(ANNA[field])[:-1] + "9"
    assert _pair(ANNA | {"id_number": None}, ANNA | others | {field: slipped}).judgement.verdict is AUTO
    twin: Values = {"name": "张晓亮", "id_number": None, field: slipped}
    assert _pair(ANNA, ANNA | others | twin).judgement.verdict is not AUTO


def test_another_given_name_under_one_number_passes_only_where_the_two_do_not_live_together() -> None:
    elsewhere: Values = {"address": "四川省成都市青羊区人民南路4号1栋101室"}
    typo: Values = {"name": "张晓军", "account": None}
    assert _verdict(**typo, **elsewhere) is AUTO
    assert _verdict(**typo, address=None) is REVIEW
    assert _verdict(**typo) is REVIEW
    assert _verdict(**typo | elsewhere | {"sex": "F"}) is REVIEW  # as written, whatever the number says
    assert _verdict(**typo | elsewhere | {"birth_date": "1955-01-02"}) is REVIEW  # a father with the son's number
    renamed: Values = {"name": "张建国", "email": None, "account": None}
    assert _verdict(**renamed, **elsewhere) is AUTO  # the mobile is still the same
    assert _verdict(**renamed | elsewhere | {"mobile": None}) is REVIEW


def test_a_family_with_one_mobile_one_address_and_one_account_stays_a_family() -> None:
    wife: Values = {"name": "李桂芳", "sex": "F", "birth_date": "1981-02-03", "id_number": None, "email": None}
    son: Values = {"name": "张子轩", "birth_date": "2008-09-01", "id_number": None, "email": None}
    for relative in (wife, son):
        assert _pair(ANNA, ANNA | relative).judgement.verdict is not AUTO


@pytest.mark.parametrize("field", ["sex", "birth_date"])
def test_who_is_of_another_sex_or_age_is_not_merged_without_the_number(field: str) -> None:
    other = {"sex": "F", "birth_date": "1953-01-02"}
    assert (
        _pair(ANNA | {"id_number": None}, ANNA | {"id_number": None, field: other[field]}).judgement.verdict is not AUTO
    )


def test_foreign_names_are_compared_by_words() -> None:
    smith: Values = {
        "name": "SMITH, John William",
        "birth_date": "1975-01-30",
        "id_type": "passport",
        "id_number": "P1234567",
        "sex": "M",
    }
    assert _pair(smith, smith | {"name": "John William Smith"}).judgement.verdict is AUTO
    assert _pair(smith, smith | {"name": "John Smith"}).judgement.verdict is AUTO
    assert _pair(smith, smith | {"name": "Maria Garcia"}).judgement.verdict is REVIEW
    assert _pair(smith, smith | {"name": "José Ángel"}).agreement.name is Level.DIFFERENT
    assert _pair(smith | {"name": "JOSÉ ÁNGEL"}, smith | {"name": "Angel Jose"}).agreement.name is Level.EQUAL
    renewed = _pair(smith, smith | {"id_number": "X7654329"})
    assert renewed.judgement.verdict is REVIEW  # passports are renewed: no veto, and no merge


def test_a_permit_and_a_passport_may_be_one_persons() -> None:
    passport = ANNA | {"id_type": "passport", "id_number": "E12345678"}
    judged = _pair(ANNA, passport)
    assert judged.agreement.identity is Level.MISSING
    assert judged.judgement.verdict is AUTO


@pytest.mark.parametrize("number", ["111111111111111111", "000000000000000000", " ", "无"])
def test_what_stands_for_no_number_is_none(number: str) -> None:
    assert _pair(ANNA | {"id_number": number}, ANNA | {"id_number": number}).agreement.identity is Level.MISSING


def test_the_mobile_that_everybody_types_who_has_none_joins_nobody() -> None:
    common: Values = {"id_number": None, "mobile": "13800138000", "email": "none@163.com", "account": "000000000"}
    common |= {"address": None}
    assert _pair(ANNA | common, ANNA | common).judgement.verdict is REVIEW


def test_records_that_say_nothing_are_no_evidence() -> None:
    nothing: Values = {}
    judged = _pair(nothing, nothing)
    assert (judged.score, judged.judgement.verdict) == (0, DIFFERENT)
    assert _pair({"name": "张伟"}, {"name": "张伟"}).judgement.verdict is not AUTO
    odd: Values = dict.fromkeys(ANNA, "?") | {"name": "·()", "birth_date": "1900-01-01", "id_type": "no-such"}
    assert _pair(odd, ANNA).judgement.verdict is DIFFERENT


def test_a_rare_name_says_more_than_a_common_one() -> None:
    one, other = (person_of(values, today=TODAY) for values in (ANNA, ANNA))
    rare = score_pair(one, other, weights=PRIOR_WEIGHTS, name_share=0.000_01).score
    common = score_pair(one, other, weights=PRIOR_WEIGHTS, name_share=0.01).score
    assert rare > common


@given(agreement=AGREEMENTS, score=st.integers(-60_000, 120_000), shared=st.sets(st.sampled_from(("mobile", "email"))))
def test_a_veto_wins_over_any_score(agreement: Agreement, score: int, shared: set[str]) -> None:
    judgement = judge(agreement, score=score, shared=shared)
    if judgement.vetoes:
        assert judgement.verdict is not AUTO
    if agreement.identity is Level.CONFLICT:
        assert judgement.verdict is not AUTO
    if judgement.verdict is AUTO and agreement.identity is not Level.EQUAL:
        own = {field for field in ("mobile", "email", "account") if getattr(agreement, field) is Level.EQUAL} - shared
        exact = agreement.name is Level.EQUAL and agreement.birth_date is Level.EQUAL
        if judgement.ground is Ground.REPAIRED_NUMBER:
            assert agreement.identity is Level.REPAIRED
            assert exact or own
        else:
            assert exact
            assert own or Level.NEAR in {agreement.mobile, agreement.account}, "household attributes never suffice"


@given(agreement=AGREEMENTS, low=st.integers(-60_000, 60_000), high=st.integers(0, 60_000))
def test_a_higher_score_never_merges_it_only_brings_to_a_person(agreement: Agreement, low: int, high: int) -> None:
    before, after = judge(agreement, score=low).verdict, judge(agreement, score=low + high).verdict
    assert (before is AUTO) == (after is AUTO)
    assert not (before is REVIEW and after is DIFFERENT)


@given(seed=st.integers(0, 10_000))
def test_who_is_compared_with_whom_changes_nothing(seed: int) -> None:
    books = twin_books(2, seed=seed)
    for one in books.source:
        for other in books.target:
            assert _pair(one, other) == _pair(other, one)
    name = misspelt(str(books.source[0]["name"]), Maker(seed).rng)
    changed = person_of(books.source[0] | {"name": name}, today=TODAY)
    same = person_of(books.source[0], today=TODAY)
    assert compare(changed, same) == compare(same, changed)
