"""Figures at signed addresses: shown to whoever has one, refused to whoever made one up."""

import pytest
from flask.testing import FlaskClient

from bot.figures.signing import figure_path
from lifecycle import Kind, Stage, State
from tests.bot.figures_of_rows import regression
from tests.web.house import SIGNER, House


@pytest.fixture
def number(house: House) -> int:
    run = house.begin(house.ask(Kind.VALIDATE, 3, key="drawn"), Stage.TRAIN, 3)
    house.finish(run, Stage.TRAIN, 2, "2,142 rows")
    house.finish(house.begin(run, Stage.PACKAGE, 2), Stage.PACKAGE, 2, "9 files")
    house.finish(house.begin(run, Stage.VALIDATE, 2), Stage.VALIDATE, 1, "said", **regression())
    return house.conclude(run, State.SUCCEEDED, 1, verdict="FAIL").id


def test_a_signed_address_shows_the_picture_anywhere(client: FlaskClient, number: int) -> None:
    for name in ("differences", "residuals", "slices"):
        for theme in ("light", "dark", "sheet"):
            answer = client.get(SIGNER.signed(figure_path(number, name, theme)))
            assert answer.status_code == 200
            assert answer.mimetype == "image/svg+xml"
            assert answer.text.startswith("<svg")
            assert answer.headers["Cache-Control"] == "no-cache"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "script" not in answer.headers["Content-Security-Policy"]


def test_who_has_it_already_is_told_so(client: FlaskClient, number: int) -> None:
    address = SIGNER.signed(figure_path(number, "slices", "dark"))
    tag = client.get(address).headers["ETag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""


def test_a_wrong_signature_is_refused_whatever_it_asks_for(client: FlaskClient, number: int) -> None:
    good = SIGNER.signed(figure_path(number, "slices", "dark"))
    other = SIGNER.signature(figure_path(number, "slices", "light"))
    for address in (
        good[:-1],
        good.partition("?")[0],
        good.replace("slices", "differences"),
        good.replace(f"/{number}/", "/2147483647/"),
        f"{good.partition('?')[0]}?signature={other}",
        f"{good.partition('?')[0]}?signature=%ED%A0%80",
        "/figures/999999/nothing.dark.svg?signature=x",
    ):
        assert client.get(address).status_code == 403, address


def test_a_signed_address_of_nothing_is_not_found(client: FlaskClient, number: int) -> None:
    for path in (figure_path(999_999, "slices", "dark"), figure_path(number, "calibration", "dark")):
        assert client.get(SIGNER.signed(path)).status_code == 404
    assert client.get(SIGNER.signed(figure_path(number, "slices", "plaid"))).status_code == 404
