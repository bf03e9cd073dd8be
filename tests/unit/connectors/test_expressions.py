"""CEL behind our fence: its faults stay outside, its errors come with the row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.expressions import Expression, ExpressionError, Functions
from connectors.values import Refusal

TABLES = {"codes": {"A": {"name": "first"}}.get}


def value(source: Any, **row: Any) -> Any:
    return Expression(source, Functions(TABLES, "Asia/Shanghai")).evaluate(row)


@pytest.mark.parametrize(
    ("source", "row", "wanted"),
    [
        ("a", {"a": "x"}, "x"),
        ("a.b.c", {"a": {"b": {"c": 5}}}, 5),
        ("a.b.c", {"a": {"b": None}}, None),
        ("'text'", {}, "text"),
        ("a == 'x' && b > 3", {"a": "x", "b": 4}, True),
        ("a == null ? 'none' : a", {"a": None}, "none"),
        ("length(a)", {"a": "张三"}, 2),
        ("upper(trim(a))", {"a": " ab "}, "AB"),
        ("key(a)", {"a": "'１２ "}, "12"),
        ("part(a, 0, 2)", {"a": "张三李四"}, "张三"),
        ("replaced(a, '-', '')", {"a": "1-2-3"}, "123"),
        ("matched(a, '[0-9]+')", {"a": "123"}, True),
        ("lookup('codes', a).name", {"a": "A"}, "first"),
        ("lookup('codes', a) == null", {"a": "?"}, True),
        ("money(a)", {"a": "12.34"}, 1234),
        ("whole(a) + 1", {"a": "12"}, 13),
        ("pieces(a)", {"a": "x、y;z"}, ["x", "y", "z"]),
        ("time(a, '%Y%m%d').precision", {"a": "20250601"}, "DAY"),
        ("a.filter(x, x != '')", {"a": ["p", ""]}, ["p"]),
        (5, {}, 5),
        (None, {}, None),
        ("null", {}, None),
    ],
)
def test_expressions_give_values(source: Any, row: dict[str, Any], wanted: Any) -> None:
    """Paths, texts, comparisons and our functions."""
    assert value(source, **row) == wanted


def test_an_expression_knows_its_columns() -> None:
    """So that a name that is no column is told at load, and only needed columns go in."""
    functions = Functions(TABLES)
    assert Expression("a + upper(b.c)", functions).names == {"a", "b"}
    assert Expression("list.map(x, x + y)", functions).names == {"list", "y"}
    assert Expression("'a'", functions).constant


def test_columns_that_are_not_needed_do_not_go_in() -> None:
    """A value CEL could not take harms only those who use it."""
    assert value("a + 'x'", a="1", b=object()) == "1x"


@pytest.mark.parametrize("source", ["size(a)", "timestamp(a)", "duration(a)"])
def test_functions_with_faults_are_fenced_off(source: str) -> None:
    """Each with what to write instead."""
    with pytest.raises(ExpressionError, match=r"is not for mappings\. Write "):
        value(source, a="x")


@pytest.mark.parametrize("source", ["a +", "张三", "a b", "'open", "sha(a)"])
def test_what_cannot_be_compiled_is_told(source: str) -> None:
    """Before any row comes."""
    with pytest.raises(ExpressionError):
        value(source, a="x")


def test_a_refusal_of_our_function_comes_out_as_it_is() -> None:
    """Not wrapped in CEL's words: the row's dead letter names reason and remedy."""
    with pytest.raises(Refusal) as caught:
        value("money(a) > 5", a="1.234")
    assert caught.value.reason == "unreadable_number"


@pytest.mark.parametrize(("source", "row"), [("a > 5", {"a": None}), ("a + b", {"a": "x", "b": 1}), ("length(a)", {"a": 5})])
def test_an_expression_that_fails_refuses_the_row(source: str, row: dict[str, Any]) -> None:
    """Comparing what cannot be compared is the mapping's fault, told as such."""
    with pytest.raises(Refusal) as caught:
        value(source, **row)
    assert caught.value.reason == "expression_failed"
    assert caught.value.instead.startswith("Correct")


@given(st.one_of(st.text(), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none()))
def test_the_short_way_for_a_name_agrees_with_cel(content: Any) -> None:
    """A column alone never goes through CEL; through it, it would come out the same."""
    assert value("a", a=content) == value("(a)", a=content)


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("100 / a > 5", {"a": 0}),
        ("a % 0 == 1", {"a": 1}),
        ("a * 9223372036854775807 > 1", {"a": 3}),
        ("a.kind == 'B'", {"a": {}}),
        ("a[3] == 1", {"a": [1]}),
    ],
)
def test_what_a_row_makes_an_expression_fail_by_refuses_that_row(source: str, row: dict[str, Any]) -> None:
    """Whatever the library raises: anything else would stop the connector at this row for good."""
    with pytest.raises(Refusal) as refusal:
        value(source, **row)
    assert refusal.value.reason == "expression_failed"
