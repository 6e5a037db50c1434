"""The endpoint under load, and what happens to requests whose client or engine goes."""

import concurrent.futures
import re
import subprocess
import sys
import threading
import time

import pytest
from openai import APIStatusError, APITimeoutError, OpenAI

from tests.doubles import as_in_a_terminal
from tests.serve.endpoint import ask, endpoint


def question(number: int) -> str:
    return f"a={10 + number}+50\nb=a-1\nWhat is b?"


def test_many_requests_at_once_get_each_the_answer_to_their_own_question():
    with endpoint("peers=8", "concurrency=8", "serve.queue=200") as served:
        client = served.client()
        with concurrent.futures.ThreadPoolExecutor(32) as threads:
            answers = list(threads.map(lambda number: ask(client, question(number)), range(60)))
        shown = [re.search(r"a=(\d+)\+50", answer.choices[0].message.reasoning_content)[1] for answer in answers]
        assert shown == [str(10 + number) for number in range(60)]
        assert (served.service.pool.admitted, served.service.pool.running) == (0, 0)


def test_more_than_can_wait_are_sent_away_with_a_time_to_come_back():
    with endpoint("concurrency=2", "serve.queue=2") as served:
        served.engine.slow_s = 1.0
        client = served.client()
        with concurrent.futures.ThreadPoolExecutor(12) as threads:
            found = list(threads.map(lambda number: refused(client, number), range(12)))
        sent_away = [each for each in found if each is not None]
        assert len(sent_away) == 8
        for error in sent_away:
            assert error.status_code == 503
            assert 1 <= int(error.response.headers["retry-after"]) <= 60
            assert error.response.json()["error"]["code"] == "overloaded"
        served.engine.slow_s = 0.0
        assert ask(client).choices
        with pytest.raises(APIStatusError) as caught:
            ask(client, n=5)
        assert caught.value.status_code == 503


def refused(client: OpenAI, number: int) -> APIStatusError | None:
    try:
        ask(client, question(number))
    except APIStatusError as error:
        return error
    return None


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_client_that_goes_has_asked_for_ends(stream):
    with endpoint() as served:
        served.engine.slow_s = 30.0
        client = OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0, timeout=0.7)
        with pytest.raises(APITimeoutError):
            for _ in ask(client, stream=True) if stream else [ask(client)]:
                pass
        start = time.monotonic()
        while served.engine.in_flight and time.monotonic() < start + 10:
            time.sleep(0.05)
        assert served.engine.in_flight == 0
        assert served.engine.ended == 4
        assert served.service.pool.admitted == 0


def test_a_dead_engine_is_told_once_and_answered_with_503():
    with endpoint() as served:
        served.engine.dead = True
        for _ in range(2):
            with pytest.raises(APIStatusError) as caught:
                ask(served.client())
            assert caught.value.status_code == 503
            assert caught.value.response.json()["error"]["code"] == "engine_gone"
        assert len(served.deaths) == 1


def test_an_error_of_one_request_is_its_own():
    with endpoint() as served:
        script, served.engine.inner.script = served.engine.inner.script, lambda text, request: 1 / 0
        with pytest.raises(APIStatusError) as caught:
            ask(served.client())
        assert caught.value.status_code == 500
        assert "division" not in caught.value.response.text
        served.engine.inner.script = script
        assert ask(served.client()).choices
        assert served.service.pool.admitted == 0


def test_the_command_serves_until_it_is_stopped(tmp_path):
    given = ["engine=scripted", "peers=4", "port=0", "serve.keep=true", f"runs_dir={tmp_path}"]
    command = [sys.executable, "-m", "leap_lab.serve", *given]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=as_in_a_terminal)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        told = next(line for line in process.stderr if "serving" in line)
        url = re.search(r"http://127\.0\.0\.1:\d+/v1", told)[0]
        assert ask(OpenAI(base_url=url, api_key="none")).choices
        taken = subprocess.run([*command, f"port={url.split(':')[2].split('/')[0]}"], capture_output=True, text=True)
        process.terminate()
        assert process.wait(20) == 143
    finally:
        watchdog.cancel()
        process.kill()
    assert taken.returncode == 2
    assert "cannot listen" in taken.stderr
    assert '"status": "finished"' in next(tmp_path.glob("*/run.json")).read_text()
