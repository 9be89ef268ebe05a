"""People: who was here, who may be, invitations, and figures only as far as the settings allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overread_review.service.errors import (
    InvitationInvalidError,
    NotLeadError,
    PersonDisabledError,
    PersonUnknownError,
    PersonUnsuitableError,
)
from overread_review.service.model import Agreement, Reviewer
from overread_review.service.ports import RecordKind, StoredRecord
from overread_review.service.settings import VendorTeam
from overread_testing.review_fakes import (
    ADA,
    GRACE,
    KATHERINE,
    LENA,
    STRANGER,
    VERA,
    FakeStore,
    ReviewLab,
    review_lab,
)

ACME = VendorTeam("acme-readers", "Acme readers", "Acme", "acme")


def make_lab(statistics: str = "off") -> ReviewLab:
    lab = review_lab(statistics=statistics, vendor_teams=(ACME,))
    lab.flow_definition("twice", TaskCount=2)
    for person in (ADA, GRACE, STRANGER, LENA):
        lab.service.people.seen(person)
    for name, second in (("one", "approve"), ("two", "decline")):
        lab.start(name, flow="twice")
        lab.answer(name, by=ADA, label="approve", worked_s=10)
        lab.answer(name, by=GRACE, label=second, worked_s=20)
    return lab


@pytest.fixture
def lab() -> ReviewLab:
    return make_lab()


def test_who_signs_in_is_remembered_as_their_provider_names_them_now(lab: ReviewLab) -> None:
    first = lab.service.people.seen(ADA)
    lab.clock.advance(3600)
    renamed = replace(ADA, name="Ada L.", groups=frozenset({"reviewers", "a"}), email="ada@example.com")
    person = lab.service.people.seen(renamed)
    assert (person.name, person.groups, person.email) == ("Ada L.", ("a", "reviewers"), "ada@example.com")
    assert (person.first_seen_at, person.last_seen_at) == (first.first_seen_at, lab.clock.now)
    assert lab.service.people.name(ADA.key) == "Ada L."
    assert lab.service.people.name("nobody") == "nobody"


def test_keys_of_people_of_different_providers_never_meet() -> None:
    def key(provider: str, sub: str) -> str:
        return Reviewer("x", sub, frozenset(), provider=provider).key

    subs = ("v-1", "acme:v-1", "other:v-1", ":", "")
    keys = [key(provider, sub) for provider in ("acme", "other") for sub in subs]
    assert len({*keys, key("workforce", "v-1")}) == len(keys) + 1
    assert (key("workforce", "v-1"), key("acme", "v-1")) == ("v-1", "acme:v-1")


@pytest.mark.parametrize("provider", ["workforce", "sandbox", "invited", "a:b", "", "Acme"])
def test_a_vendors_provider_has_a_name_of_its_own(provider: str) -> None:
    with pytest.raises(ValueError, match="identity provider of vendor team x must be a name"):
        review_lab(vendor_teams=(VendorTeam("x", "X", "X", provider),))


def test_leads_see_the_people_of_their_teams_by_name(lab: ReviewLab) -> None:
    views = lab.service.people.list(LENA)
    assert [(view.person.name, view.teams, view.is_lead, view.state) for view in views] == [
        ("ada", ("team",), False, "active"),
        ("grace", ("team",), False, "active"),
        ("lena", ("team",), True, "active"),
    ]
    for call in (lab.service.people.list, lab.service.people.aliases, lab.service.people.groups):
        with pytest.raises(NotLeadError):
            call(ADA)


def test_a_vendors_people_are_known_to_the_vendors_leads_only(lab: ReviewLab) -> None:
    lab.service.people.seen(VERA)
    assert [view.person.key for view in lab.service.people.list(VERA)] == ["acme:v-1"]
    assert "acme:v-1" not in [view.person.key for view in lab.service.people.list(LENA)]
    with pytest.raises(PersonUnknownError):
        lab.service.people.disable(VERA, ADA.key)
    with pytest.raises(PersonUnknownError):
        lab.service.people.disable(LENA, VERA.key)


def test_without_statistics_nothing_tells_who_answered_how(lab: ReviewLab) -> None:
    assert all(view.statistics is None for view in lab.service.people.list(LENA))
    assert lab.service.people.aliases(LENA) == ()
    first = lab.service.people.shown(ADA.key, loop_name="one")
    assert first == lab.service.people.shown(ADA.key, loop_name="one")
    assert first.person == first.name
    others = [
        lab.service.people.shown(ADA.key, loop_name="two"),
        lab.service.people.shown(GRACE.key, loop_name="one"),
    ]
    assert first not in others


def test_figures_under_pseudonyms_add_up_without_a_name() -> None:
    lab = make_lab("pseudonymous")
    assert all(view.statistics is None for view in lab.service.people.list(LENA))
    shown = lab.service.people.shown(ADA.key, loop_name="one")
    assert shown == lab.service.people.shown(ADA.key, loop_name="two")
    listed = lab.service.people.aliases(LENA)
    assert [one.alias for one in listed] == sorted(one.alias for one in listed)
    (mine,) = [one.statistics for one in listed if one.alias == shown.person]
    assert (mine.answers, mine.median_worked_s, mine.agreement) == (2, 10, Agreement(2, 1))


def test_programs_that_answer_in_a_sandbox_are_no_people() -> None:
    lab = review_lab(statistics="pseudonymous", sandbox=True)
    lab.flow_definition()
    lab.start("one")
    lab.service.tasks.sandbox_answer("one", reviewer_name="ci", content={})
    assert lab.service.people.aliases(LENA) == ()
    assert lab.service.people.name("sandbox:ci") == "ci"


def test_figures_by_name_where_the_settings_say_so() -> None:
    lab = make_lab("named")
    figures = {view.person.name: view.statistics for view in lab.service.people.list(LENA)}
    grace = figures["grace"]
    assert grace is not None
    assert (grace.answers, grace.median_worked_s, grace.agreement) == (2, 20, Agreement(2, 1))
    assert figures["lena"] is None
    assert lab.service.people.aliases(LENA) == ()
    assert lab.service.people.shown(ADA.key, loop_name="one").name == "ada"
    lab.clock.advance(31 * 86_400)
    assert all(view.statistics is None for view in lab.service.people.list(LENA))


def test_disabling_ends_access_and_frees_what_was_begun_or_assigned(lab: ReviewLab) -> None:
    lab.start("begun", flow="twice")
    lab.start("given", flow="twice")
    lab.service.tasks.claim("begun", reviewer=ADA)
    lab.service.lead.assign(LENA, "given", person=ADA.key)
    lab.service.people.disable(LENA, ADA.key)
    for refused in (lab.service.people.check, lab.service.people.seen):
        with pytest.raises(PersonDisabledError):
            refused(ADA)
    assert (lab.loop("begun").claims, lab.loop("given").assigned_to) == ((), "")
    assert [view.state for view in lab.service.people.list(LENA)] == ["disabled", "active", "active"]
    lab.service.people.enable(LENA, ADA.key)
    lab.service.people.check(ADA)
    assert lab.service.people.seen(ADA).disabled is False


def test_disabling_reaches_neither_oneself_nor_strangers(lab: ReviewLab) -> None:
    with pytest.raises(PersonUnsuitableError, match="your own"):
        lab.service.people.disable(LENA, LENA.key)
    for key in (STRANGER.key, "nobody"):
        with pytest.raises(PersonUnknownError):
            lab.service.people.disable(LENA, key)
    with pytest.raises(NotLeadError):
        lab.service.people.disable(ADA, GRACE.key)
    lab.service.people.check(STRANGER)


def test_an_invitation_becomes_the_person_who_signs_in_with_its_address(lab: ReviewLab) -> None:
    invited = lab.service.people.invite(LENA, email="Kat@Example.com", name="Katherine", group="reviewers")
    assert lab.service.people.groups(LENA) == ("reviewers",)
    view = next(one for one in lab.service.people.list(LENA) if one.person.key == invited.key)
    assert (view.state, view.teams) == ("invited", ("team",))
    lab.clock.advance(60)
    person = lab.service.people.seen(replace(KATHERINE, email="kat@example.com"))
    assert (person.key, person.invited_at) == (KATHERINE.key, invited.invited_at)
    assert invited.key not in [one.person.key for one in lab.service.people.list(LENA)]
    with pytest.raises(InvitationInvalidError, match="works here already"):
        lab.service.people.invite(LENA, email="KAT@example.com", name="K", group="reviewers")


def test_signing_in_twice_at_once_takes_an_invitation_once(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.service.people.invite(LENA, email="kat@example.com", name="K", group="reviewers")
    find = FakeStore.find_record

    def twice(store: FakeStore, kind: RecordKind, *, key: str) -> StoredRecord | None:
        found = find(store, kind, key=key)
        if found is not None and key == "invited:kat@example.com":
            store.delete_record(found)
        return found

    monkeypatch.setattr(FakeStore, "find_record", twice)
    person = lab.service.people.seen(replace(KATHERINE, email="kat@example.com"))
    assert person.invited_at is not None


def test_a_withdrawn_invitation_lets_nobody_in(lab: ReviewLab) -> None:
    invited = lab.service.people.invite(LENA, email="kat@example.com", name="K", group="reviewers")
    lab.service.people.disable(LENA, invited.key)
    arriving = replace(KATHERINE, email="kat@example.com")
    for _ in range(2):
        with pytest.raises(PersonDisabledError):
            lab.service.people.seen(arriving)
    with pytest.raises(PersonDisabledError):
        lab.service.people.check(arriving)


@pytest.mark.parametrize(
    ("email", "name", "group", "message"),
    [
        ("kat", "K", "reviewers", "email must be an address like"),
        ("kat@example.com\r\nBcc: x@y.z", "K", "reviewers", "email must be"),
        (f"{'x' * 60}@{'a.' * 100}com", "K", "reviewers", "email must be"),
        ("kat@example.com", " ", "reviewers", "name must have 1 to 64"),
        ("kat@example.com", "K\n", "others", "group must be one of reviewers, got 'others'"),
    ],
)
def test_an_invitation_needs_address_name_and_a_group_of_the_leads_teams(
    lab: ReviewLab, email: str, name: str, group: str, message: str
) -> None:
    with pytest.raises(InvitationInvalidError, match=message):
        lab.service.people.invite(LENA, email=email, name=name, group=group)


def test_a_vendors_lead_invites_nobody_here(lab: ReviewLab) -> None:
    assert lab.service.people.groups(VERA) == ()
    with pytest.raises(InvitationInvalidError, match="at the vendor's"):
        lab.service.people.invite(VERA, email="x@example.com", name="X", group="reviewers")


def test_a_vendors_word_for_an_address_takes_no_invitation(lab: ReviewLab) -> None:
    invited = lab.service.people.invite(LENA, email="kat@example.com", name="K", group="reviewers")
    assert lab.service.people.seen(replace(VERA, email="kat@example.com")).invited_at is None
    assert invited.key in [one.person.key for one in lab.service.people.list(LENA)]
