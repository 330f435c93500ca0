"""Files as people write them: every mistake at once, with its line, and nothing that hangs or explodes."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from lifecycle.yamlfile import Mistake, Mistakes, Problem, line_of, parse


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gate(Part):
    metric: str
    margin: float = Field(default=0.1, gt=0, le=1)
    slices: tuple[str, ...] = ()


class Thing(Part):
    name: str
    depth: int = 3
    quick: bool = True
    how: Literal["on", "off"] = "on"
    gate: Gate | None = None
    params: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def known(cls, value: str, info: ValidationInfo) -> str:
        if info.context and value not in info.context["names"]:
            raise ValueError(f"unknown name {value!r}")
        return value


class Whole(Part):
    things: dict[Annotated[str, StringConstraints(pattern="^[a-z]+$")], Thing] = Field(default_factory=dict)
    rows: tuple[Gate, ...] = ()


def mistakes(text: str, **options: Any) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        parse(text, Whole, "file.yaml", **options)
    assert str(caught.value) == "\n".join(str(m) for m in caught.value.mistakes)
    return [f"{m.line}: {m.what}" for m in caught.value.mistakes]


def test_a_right_file_becomes_the_model() -> None:
    whole = parse("things:\n  bike: {name: x, gate: {metric: mae}}\nrows: [{metric: mse}]\n", Whole, "f")
    assert whole.things["bike"].gate == Gate(metric="mae")
    assert parse("", Whole, "f") == Whole()
    assert parse("# nothing yet\n", Whole, "f") == Whole()


def test_words_mean_what_they_say() -> None:
    text = (
        "things: {a: {name: 2020-99-99, how: off, quick: no, params: {a: off, b: 010, c: 12:30, d: 1e3, e: 0, f: =}}}"
    )
    thing = parse(text, Whole, "f").things["a"]
    assert (thing.name, thing.how, thing.quick) == ("2020-99-99", "off", False)
    assert thing.params == {"a": "off", "b": "010", "c": "12:30", "d": 1000.0, "e": 0, "f": "="}


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = """\
things:
  bike:
    nam: x
    depth: deep
    quick: maybe
    how: sometimes
    gate:
      metrc: mae
      margin: 3
      slices: weather
    params: {a: [1]}
  Car: {name: 5}
rows:
  - metric: mae
  - 7
row: 1
"""
    assert mistakes(text) == [
        "2: things.bike.name is missing",
        "3: things.bike.nam is not a key that belongs here; did you mean `name`?",
        "4: things.bike.depth: expected a whole number (found 'deep')",
        "5: things.bike.quick: expected yes or no (found 'maybe')",
        "6: things.bike.how: expected 'on' or 'off' (found 'sometimes')",
        "7: things.bike.gate.metric is missing",
        "8: things.bike.gate.metrc is not a key that belongs here; did you mean `metric`?",
        "9: things.bike.gate.margin: expected at most 1.0 (found 3)",
        "10: things.bike.gate.slices: expected a list (found 'weather')",
        "11: things.bike.params.a: expected text or a whole number or a number or yes or no",
        "12: things.Car: expected text of the form ^[a-z]+$ (found 'Car')",
        "12: things.Car.name: expected text; put quotes around it (found 5)",
        "15: rows.1: expected a mapping, `key: value` lines (found 7)",
        "16: row is not a key that belongs here; did you mean `rows`?",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: b: c", "1: this is not YAML: mapping values are not allowed here"),
        ("things:\n  a: [1, 2", "2: this is not YAML: expected ',' or ']', but got '<stream end>'"),
        ("things:\n\tx: 1", "2: this is not YAML: found character '\\t' that cannot start any token"),
        ("a: *b", "1: this is not YAML: found an alias that nothing defines"),
        ("things: {}\nx: \x07", "2: this is not YAML: it holds a character that text files do not have"),
        ("- 1", "1: expected a mapping, `key: value` lines"),
        ("\n\njust words", "3: expected a mapping, `key: value` lines"),
        ("rows: []\nrows: []", "2: the key rows stands twice"),
        ("? [a]\n: 1", "1: a key must be a word, not a list or mapping"),
        ("a: 1\n---\nb: 2", "2: expected one document; `---` starts another"),
        ("a: !!python/object/apply:os.system [ls]", "1: tags such as `!name` mean nothing here"),
        ("a: !secret x", "1: tags such as `!name` mean nothing here"),
        ("a: &x [*x]", "1: this contains itself"),
        ("a: &x {b: {c: *x}}", "1: this contains itself"),
        ("a: " + "[" * 500, "1: nested deeper than 40 levels"),
        ("<<: 1", "1: `<<` takes an alias of a mapping, as in `<<: *name`"),
        ("a: " + "x" * 300_000, "1: the file is longer than 262,144 characters"),
        ("rows:", "1: rows: expected a list"),
    ],
)
def test_what_is_no_settings_file_is_told_in_a_sentence(text: str, told: str) -> None:
    assert mistakes(text)[0].startswith(told)


def test_a_few_lines_that_mean_billions_are_refused() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20))
    assert "values" in mistakes(text)[0]


def test_shared_parts_can_be_merged_and_keep_their_lines() -> None:
    text = "things:\n  a: &a\n    name: x\n    depth: 5\n  b:\n    <<: *a\n    name: y\n"
    whole = parse(text, Whole, "f")
    assert (whole.things["b"].name, whole.things["b"].depth) == ("y", 5)
    assert mistakes(text.replace("name: y", "name: [y]"))[0] == "7: things.b.name: expected text"


def test_context_reaches_the_validators() -> None:
    text = "things:\n  a:\n    name: x\n"
    assert parse(text, Whole, "f", context={"names": {"x"}})
    assert mistakes(text, context={"names": set()}) == ["3: things.a.name: unknown name 'x' (found 'x')"]


def test_checks_of_several_keys_are_told_together_with_the_others() -> None:
    def check(data: Mapping[str, Any]) -> Iterable[Problem]:
        yield ("things", "b"), "b is not wanted"
        yield ("nowhere",), f"{len(data)} keys"

    found = mistakes("rows: 1\nthings:\n  b: {name: x}\n", check=check)
    assert found == ["1: 2 keys", "1: rows: expected a list (found 1)", "3: b is not wanted"]


def test_values_can_be_kept_out_of_messages() -> None:
    found = mistakes("things: hunter2\nrows: [{metric: [hunter2], margin: hunter2}]\n", echo=False)
    assert len(found) == 3
    assert "hunter2" not in "".join(found)
    for text in (
        f"{'s3cret' * 6}: 1",
        f"things: {{{'s3cret' * 6}: 1}}",
        f"a: *{'s3cret' * 6}",
        f"{'s3cret' * 6}: 1\n" * 2,
    ):
        assert "s3crets3cret" not in "".join(mistakes(text, echo=False))


@pytest.mark.parametrize(
    ("path", "line"), [(["a", "b", 1, "y"], 4), (["c"], 5), (["a", "no"], 1), ([], 1), (["a", "b", 9], 2)]
)
def test_lines_are_found_by_path(path: list[str | int], line: int) -> None:
    assert line_of("a:\n  b:\n    - x\n    - y: 1\nc: 2\n", path) == line
    assert line_of("a: [", path) == 1


def told(text: str) -> tuple[Mistake, ...]:
    try:
        parse(text, Whole, "file.yaml")
    except Mistakes as error:
        return error.mistakes or (Mistake("none", 0, "no mistake told"),)
    return ()


BREAKS = ["\n", "\n  ", "\n    ", "---\n", "\u2028", "\0"]
MARKS = [": ", "- ", "&x ", "*x", "<<", "!!int", *"[]{}'\"?|>#%!@`,~.:"]
PIECES = st.sampled_from(["things", "a", "name", "1", "1e9", "null", "é", *BREAKS, *MARKS])


@settings(deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_is_a_model_or_mistakes(text: str) -> None:
    last = 2 + sum(text.count(end) for end in "\n\r\x85\u2028\u2029")
    assert all(1 <= mistake.line <= last for mistake in told(text))
    line_of(text, ["things", "a", "name"])


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_data_is_a_model_or_mistakes(data: object) -> None:
    for shape in ({"things": {"a": data}}, {"things": data, "rows": [data]}, {"rows": {"metric": data}}, data):
        for mistake in told(yaml.safe_dump(shape, allow_unicode=True)):
            assert "\n" not in mistake.what
