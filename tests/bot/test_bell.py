"""The bell wakes whoever waits, and troubles nobody who rings."""

from pathlib import Path

from bot.bell import Bell


def test_ringing_where_nobody_waits_is_no_error(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "missing" / "bell")
    bell.ring()
    bell.close()
    assert not (tmp_path / "missing").exists()


def test_a_socket_left_by_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    killed, worker, web = (Bell(tmp_path / "bell") for _ in range(3))
    killed.wait(0)
    killed.close()  # leaves the file, as a kill does
    web.ring()
    assert not worker.wait(0)
    web.ring()
    assert worker.wait(1)
    for bell in (worker, web):
        bell.close()


def test_the_last_one_to_wait_has_the_bell(tmp_path: Path) -> None:
    old, new, web = (Bell(tmp_path / "bell") for _ in range(3))
    old.wait(0)
    new.wait(0)
    web.ring()
    assert new.wait(1)
    assert not old.wait(0)
    for bell in (old, new, web):
        bell.close()


def test_ringing_often_never_waits(tmp_path: Path) -> None:
    worker, web = (Bell(tmp_path / "bell") for _ in range(2))
    worker.wait(0)
    for _ in range(10_000):
        web.ring()
    assert worker.wait(1)
    assert not worker.wait(0)
    for bell in (worker, web):
        bell.close()


def test_a_path_longer_than_a_sockets_address_works_too(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    worker, web = (Bell(folder / "bell") for _ in range(2))
    worker.wait(0)
    web.ring()
    assert worker.wait(1)
    assert (folder / "bell").is_socket()
    for bell in (worker, web):
        bell.close()


def test_only_the_owner_may_ring(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    bell.wait(0)
    assert (tmp_path / "bell").stat().st_mode & 0o777 == 0o600
    bell.close()
