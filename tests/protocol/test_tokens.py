"""Tokens are greppable words, each listed once with a meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.tokens import TOKEN_MAX, TOKENS, is_token


@pytest.mark.parametrize("token", sorted(TOKENS))
def test_each_listed_token_is_a_token_with_a_meaning(token: str):
    assert is_token(token)
    assert TOKENS[token]


@pytest.mark.parametrize("text", ["", "lower", "A__B", "_A", "A_", "1A", "A-B", "Ä", "A\n", "A" * (TOKEN_MAX + 1)])
def test_what_is_no_token_is_told(text: str):
    assert not is_token(text)


@given(st.from_regex(r"[A-Z][A-Z0-9]{0,10}(_[A-Z0-9]{1,10}){0,4}", fullmatch=True))
def test_an_agents_own_upper_snake_word_is_a_token(text: str):
    assert is_token(text)
