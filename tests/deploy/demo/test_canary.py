"""The canary finds every value of the book in every spelling, wherever it stands, and nothing that is not there."""

import base64
import time
from itertools import islice

import pytest

from deploy.demo.book import BookRow, generate_book
from deploy.demo.canary import needles, search


@pytest.fixture(scope="module")
def rows() -> list[BookRow]:
    return list(islice(generate_book(40, 11), 40))


def test_each_needle_is_found_at_every_offset(rows: list[BookRow]) -> None:
    for number, (row, field, spelling, needle) in enumerate(needles(rows[:2])):
        text = b"." * (number % 13) + needle + b"." * (number % 7)
        assert (row, field, spelling) in {(hit.row, hit.field, hit.spelling) for hit in search([("t", text)], rows)}


def test_a_value_in_base64_is_found_at_any_place_of_its_groups(rows: list[BookRow]) -> None:
    for before in range(3):
        text = base64.b64encode(b"x" * before + rows[0].id_number.encode() + b"tail")
        assert [(hit.row, hit.field) for hit in search([("t", text)], rows)] == [(1, "id_number")]


def test_a_text_without_them_has_no_hits_and_says_where_there_are_some(rows: list[BookRow]) -> None:
    texts = [("empty", b""), ("short", b"abc"), ("other", bytes(range(256)) * 50), ("log", rows[3].mobile.encode())]
    assert {(hit.where, hit.row, hit.field) for hit in search(texts, rows)} == {("log", 4, "mobile")}


def test_only_the_whole_value_is_a_hit(rows: list[BookRow]) -> None:
    assert not search([("t", rows[0].id_number[:-1].encode())], rows)


def test_many_people_cost_hardly_more_than_few(rows: list[BookRow]) -> None:
    text = bytes((number * 7919 >> 3) & 255 for number in range(400_000))
    few, many = [], []
    for _ in range(3):
        for people, seconds in ((rows[:2], few), (rows, many)):
            began = time.process_time()
            search([("t", text)], people)
            seconds.append(time.process_time() - began)
    assert min(many) < 4 * min(few) + 0.1
