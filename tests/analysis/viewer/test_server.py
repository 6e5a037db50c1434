"""The server: what it answers, what it refuses, and how the command starts and ends."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.viewer.pages import shipped
from analysis.viewer.server import Server
from analysis.viewer.site import Site
from tests.analysis.viewer.traces import HARMED, RIGHT, group_rows, opened, written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "runs")


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    (folder.parents[1] / "secret.txt").write_text("secret")
    with Server(Site([folder]), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: Server, path: str, method: str = "GET", host: str | None = None) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request whose path is sent as it stands."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name in [] if host == "" else [host or f"127.0.0.1:{server.server_address[1]}"]:
        connection.putheader("Host", name)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_the_page_its_files_and_its_documents_are_served(server: Server) -> None:
    status, headers, page = ask(server, "/")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8" and b"viewer.js" in page
    for name, body in shipped().items():
        assert ask(server, f"/{name}")[::2] == (200, body)
    table = json.loads(ask(server, "/data/sweep.json")[2])
    grid = json.loads(ask(server, f"/data/{table['runs'][0]['file']}.json")[2])
    question = json.loads(ask(server, f"/data/{grid['questions'][0]['file']}.json")[2])
    assert question["question"] == "q-2"
    assert json.loads(ask(server, "/data/state.json?1")[2])["runs"][table["runs"][0]["key"]]["groups"] == 4


def test_every_answer_has_a_strict_policy(server: Server) -> None:
    for path in ("/", "/viewer.js", "/data/sweep.json", "/nothing"):
        _, headers, _ = ask(server, path)
        rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
        assert rules["default-src"] == "'none'" and rules["frame-ancestors"] == "'none'"
        assert {rules[name] for name in ("script-src", "style-src", "font-src", "connect-src")} == {"'self'"}
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/data/nothing.json", "/data/run-0.json", "/index.html/", "/web/main.jsx", "/data/"),
        *("/../secret.txt", "/../../secret.txt", "/%2e%2e/%2e%2e/secret.txt", "/data/../../../secret.txt"),
        *("/fonts/../../pages.py", "/data/..%2f..%2fsecret.json", "/pages.py", "/etc/passwd", "//etc/passwd"),
        *("/config.yaml", "/data/config.json", "/%00", "/data/sweep.json/", "/data/SWEEP.json"),
    ],
)
def test_what_is_not_there_and_what_lies_outside_is_not_found(server: Server, path: str) -> None:
    status, _, body = ask(server, path)
    assert status == 404 and body in (b"no such page\n", b"no such document\n")


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost:x", "[::1]"]
)
def test_another_host_name_is_refused(server: Server, host: str) -> None:
    for path in ("/", "/data/sweep.json"):
        status, _, body = ask(server, path, host=host)
        assert status == 403 and b"q-2" not in body


def test_a_forwarded_port_may_be_another_one(server: Server) -> None:
    assert [ask(server, "/", host=host)[0] for host in ("localhost", "localhost:9999", "LOCALHOST:1")] == [200] * 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_but_reading_is_offered(server: Server, method: str) -> None:
    assert ask(server, "/data/sweep.json", method)[0] == 501


def test_head_says_as_much_as_get_without_a_body(server: Server) -> None:
    told, asked = ask(server, "/", "HEAD"), ask(server, "/")
    assert told[0] == 200 and told[2] == b"" and told[1]["Content-Length"] == str(len(asked[2]))


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_run_in_progress_is_served_as_it_grows(tmp_path: Path) -> None:
    run = opened(tmp_path)
    with Server(Site([run.path]), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        counts = []
        for number in range(3):
            counts.append(json.loads(ask(server, "/data/state.json")[2])["runs"][run.run_id]["groups"])
            run.write_group(group_rows(run.run_id, "q", number, [RIGHT, HARMED]))
        (run.path / "identity.json").write_text("{")
        broken = ask(server, "/data/sweep.json")
        server.shutdown()
        thread.join()
    assert counts == [0, 1, 2]
    assert broken[0] == 500 and b"cannot be read as JSON" in broken[2]


def test_the_command_says_where_it_serves_and_ends_with_ctrl_c(folder: Path) -> None:
    command = [sys.executable, "-m", "analysis", "view", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends it\)\n", line)
        assert found, line + process.stderr.read()
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
        connection.request("GET", "/data/sweep.json")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_bad_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["view", str(folder), f"--port={port}"]) == 2
    assert (
        capsys.readouterr().err
        == f"error: --port={port}: Address already in use; leave it out to take one that is free\n"
    )
    assert main(["view", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    for port in ("0", "65536", "-1", "x"):
        with pytest.raises(SystemExit, match="2"):
            main(["view", str(folder), f"--port={port}"])
        assert "must be an integer from 1 to 65535" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["view", str(folder), f"--out={tmp_path / 'file'}"]) == 2
    assert capsys.readouterr().err.startswith(f"error: --out={tmp_path / 'file'}: cannot make this folder: ")
