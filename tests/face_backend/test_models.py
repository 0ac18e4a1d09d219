"""Model files: named, found, or fetched from a real server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bitbox.errors import BackendError, OutputError, ParameterError
from bitbox.face_backend.models import (
    CACHE_VARIABLE,
    MODEL_VARIABLE,
    fetch_model,
    find_model,
    named_model,
)

MODEL = bytes(range(256)) * 1000
CHECKSUM = hashlib.sha256(MODEL).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves the model: whole, cut off, or not at all."""

    requests: list[str]

    def do_GET(self) -> None:
        type(self).requests.append(self.path)
        if self.path == "/missing.task":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/no-length.task":
            self.send_header("Content-Length", str(len(MODEL)))
        self.end_headers()
        self.wfile.write(MODEL[:100_000] if self.path == "/cut.task" else MODEL)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Server.requests = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    return tmp_path / "cache" / "models"


def kept(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


class TestFetching:
    @pytest.mark.parametrize("name", ["model.task", "no-length.task"])
    def test_the_right_file_is_kept_and_found(self, server: str, folder: Path, name: str) -> None:
        told: list[Any] = []
        path = fetch_model(
            CHECKSUM.upper(), url=f"{server}/{name}", progress=lambda *call: told.append(call)
        )
        assert path.read_bytes() == MODEL
        assert kept(folder) == [path]
        assert find_model() == path
        assert told[-1][1] == len(MODEL)

    def test_it_is_fetched_once(self, server: str) -> None:
        paths = {fetch_model(CHECKSUM, url=f"{server}/model.task") for _ in range(3)}
        assert len(paths) == 1
        assert Server.requests == ["/model.task"]

    def test_a_wrong_checksum_keeps_nothing(self, server: str, folder: Path) -> None:
        with pytest.raises(BackendError, match="another checksum") as caught:
            fetch_model("0" * 64, url=f"{server}/model.task")
        assert CHECKSUM in str(caught.value)
        assert kept(folder) == []

    def test_an_interrupted_download_keeps_nothing(self, server: str, folder: Path) -> None:
        with pytest.raises(BackendError, match="interrupted after 100000 of 256000 bytes"):
            fetch_model(CHECKSUM, url=f"{server}/cut.task")
        assert kept(folder) == []

    def test_no_such_file_on_the_server(self, server: str, folder: Path) -> None:
        with pytest.raises(BackendError, match="answers 404"):
            fetch_model(CHECKSUM, url=f"{server}/missing.task")
        assert kept(folder) == []

    def test_no_network(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(BackendError, match="Check the network"):
            fetch_model(CHECKSUM, url=f"http://127.0.0.1:{port}/model.task")
        assert kept(folder) == []

    def test_a_cache_that_cannot_be_written(
        self, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
        with pytest.raises(OutputError, match="cannot be kept"):
            fetch_model(CHECKSUM, url=f"{server}/model.task")

    @pytest.mark.parametrize("checksum", ["", "abc", "g" * 64, CHECKSUM[:-1]])
    def test_a_checksum_must_be_one(self, checksum: str) -> None:
        with pytest.raises(ParameterError, match="64 hexadecimal digits"):
            fetch_model(checksum, url="http://127.0.0.1:9/")

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "model.task"])
    def test_only_the_web(self, url: str) -> None:
        with pytest.raises(ParameterError, match="web address"):
            fetch_model(CHECKSUM, url=url)


class TestFinding:
    def test_nothing_anywhere_tells_what_to_do(self) -> None:
        with pytest.raises(BackendError, match=MODEL_VARIABLE):
            find_model()
        assert named_model() is None

    def test_by_path_before_variable_before_cache(
        self, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetched = fetch_model(CHECKSUM, url=f"{server}/model.task")
        one, two = tmp_path / "one.task", tmp_path / "two.task"
        one.touch()
        two.touch()
        assert find_model() == fetched
        monkeypatch.setenv(MODEL_VARIABLE, str(one))
        assert find_model() == one
        assert find_model(two) == two

    def test_named_but_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(BackendError, match="no model file"):
            find_model(tmp_path / "nothing.task")
        monkeypatch.setenv(MODEL_VARIABLE, "nothing.task")
        with pytest.raises(BackendError, match=MODEL_VARIABLE):
            find_model()

    def test_a_damaged_one_is_not_used_and_is_fetched_again(self, server: str) -> None:
        path = fetch_model(CHECKSUM, url=f"{server}/model.task")
        path.write_bytes(MODEL[:-1])
        with pytest.raises(BackendError, match="damaged"):
            find_model()
        assert fetch_model(CHECKSUM, url=f"{server}/model.task").read_bytes() == MODEL
        assert find_model() == path

    def test_the_last_fetched_of_several(self, server: str, folder: Path) -> None:
        other = hashlib.sha256(b"older").hexdigest()
        folder.mkdir(parents=True)
        old = folder / f"face_landmarker-{other}.task"
        old.write_bytes(b"older")
        time.sleep(0.02)
        new = fetch_model(CHECKSUM, url=f"{server}/model.task")
        assert find_model() == new
        time.sleep(0.02)
        fetch_model(other, url=f"{server}/model.task")
        assert find_model() == old
