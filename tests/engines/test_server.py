"""engine=server over real HTTP: the same tokens as in process, and what a server that is wrong or goes wrong costs."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from leap_lab.engines.base import EngineDied, Request, Sampling, TooLong
from leap_lab.engines.models import Model
from leap_lab.engines.remote import Failed, Refused
from leap_lab.engines.server import ServerSettings
from leap_lab.errors import UserError
from tests.commands import ALONE, SMALL, rows_of, run, run_folders
from tests.servers import TINY, served

QUESTION = "<|im_start|>"
FAST = {"max_model_len": 512, "health_s": 1.0, "patience_s": 4}
SECRET = "sk-very-secret-0123456789"


def settings(servers, **more) -> ServerSettings:
    return ServerSettings([server.url for server in servers], **{**FAST, **more})


def asked(servers, work, **more):
    """What `work(engine)` returns with an engine on these servers."""

    async def through() -> object:
        engine = await settings(servers, **more).start(Model(TINY))
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(through())


def request(engine, seed=1, affinity=0, **more) -> Request:
    prompt = engine.tokens.chat("a=3+4\nb=a-1\nWhat is b?", "<think>\n")
    return Request(prompt, 64, seed, Sampling(), affinity=affinity, **more)


def one(engine, **more):
    return engine.generate(request(engine, **more))


def many(count, affinities=8):
    async def work(engine):
        return await asyncio.gather(*(one(engine, seed=seed, affinity=seed % affinities) for seed in range(count)))

    return work


def command(servers, runs, *more):
    urls = f"engine.urls=[{','.join(server.url for server in servers)}]"
    waits = ["engine.health_s=1", "engine.patience_s=4"]
    return ["engine=server", "tracking=none", f"runs_dir={runs}", urls, *waits, *more]


def test_a_sweep_has_the_tokens_of_the_same_program_in_process(capsys, tmp_path):
    small = [each for each in SMALL if not each.startswith("engine=")]
    with served(2) as servers:
        assert run(capsys, *command(servers, tmp_path / "far", *small, "method=leap"))[0] == 0
        assert all(server.bodies for server in servers)
    assert run(capsys, *SMALL, "method=leap", f"runs_dir={tmp_path / 'near'}")[0] == 0
    far, near = (rows_of(tmp_path / name) for name in ("far", "near"))
    order = ["method"] if "method" in far else ["question_id", "path", "blocks", "tokens_think", "seed"]
    told = [frame.drop(columns="run_id").sort_values(order).reset_index(drop=True) for frame in (far, near)]
    assert told[0].equals(told[1])


def test_the_run_is_that_of_vllm_in_process(capsys, tmp_path):
    from leap_lab import api

    mine = api.cell("engine=server", "engine.urls=[http://127.0.0.1:1]", "engine.quantization=fp8")
    assert mine.run_id == api.cell("engine=vllm", "engine.quantization=fp8").run_id
    assert mine.run_id != api.cell("engine=vllm").run_id


def test_stops_seeds_lengths_and_cached_tokens_are_those_of_the_request():
    async def work(engine):
        stopped = await one(engine, stop=("=",))
        by_id = await one(engine, stop_ids=(engine.tokens.encode("a=b=c")[1],))
        return stopped, by_id, await one(engine), await engine.generate(request(engine).__class__([1], 3, 2))

    with served() as [server]:
        server.engine.script = lambda text, request: "a=b=c" if len(text) > 20 else "12345678"
        stopped, by_id, whole, cut = asked([server], work)
        [first, *_], tokens = server.bodies, server.tokens
    assert (tokens.decode(stopped.tokens), stopped.stopped, stopped.stop) == ("a=", "stop", "=")
    assert (by_id.tokens, by_id.stopped, by_id.stop) == (tokens.encode("a=b=c")[:2], "stop", by_id.tokens[1])
    assert (tokens.decode(whole.tokens), whole.stopped, whole.stop) == ("a=b=c", "eos", None)
    assert (len(cut.tokens), cut.stopped, cut.prefilled) == (3, "length", 1)
    assert (first["seed"], first["priority"], first["skip_special_tokens"]) == (1, 0, False)
    assert first["include_stop_str_in_output"]
    assert first["repetition_penalty"] == 1.0


def test_log_probabilities_are_those_of_the_same_program_in_process():
    async def work(engine):
        return await one(engine, top_logprobs=3), await one(engine)

    with served() as [server]:
        told, without = asked([server], work)
        here = asyncio.run(server.engine.generate(request(server.engine, top_logprobs=3)))
    assert told.stopped == here.stopped
    assert len(told.logprobs) == len(told.tokens) > 0
    assert told.logprobs == [[round(each, 5) for each in place] for place in here.logprobs]
    assert without.logprobs is None


def test_a_server_that_does_not_tell_cached_tokens_leaves_them_unknown(capsys):
    with served() as [server]:
        server.cached = False
        assert asked([server], one).prefilled is None
    assert "--enable-prompt-tokens-details" in capsys.readouterr().err


def test_what_does_not_fit_is_the_questions_fault():
    async def work(engine):
        with pytest.raises(TooLong):
            await engine.generate(Request([1] * 500, 64, 0))

    with served() as servers:
        asked(servers, work)


WRONG = {
    "vocabulary": (lambda server: server.swapped.update({200: "?"}), r"token 200 is '\?' there and"),
    "text only": (lambda server: setattr(server, "token_ids", False), "offers text only"),
    "context": (lambda server: server.cards[0].update(max_model_len=256), "engine.max_model_len=512: .* has 256"),
    "model": (lambda server: server.cards[0].update(root=TINY + "_t"), "its model, .*tiny_t, is another one"),
    "adapter": (lambda server: server.cards[0].update(parent="tiny"), "engine.model=null: .* offers tiny"),
    "several": (lambda server: server.cards.append({"id": "b", "root": "b"}), None),
    "names": (lambda server: server.cards.__setitem__(slice(None), [{"id": "a"}, {"id": "b"}]), "offers a, b"),
}


@pytest.mark.parametrize("fault, message", WRONG.values(), ids=WRONG)
def test_a_server_of_something_else_is_refused_with_what_differs(fault, message):
    with served() as [server]:
        fault(server)
        if message is None:
            assert asked([server], one).tokens
            return
        with pytest.raises(UserError, match=message):
            asked([server], one)


def test_a_hub_model_of_another_name_is_refused():
    with served() as [server]:
        server.cards[0].update(root="org/other")
        engine = settings([server])

        async def greet():
            from leap_lab.engines.greeting import Greeting

            greeting = Greeting(Model("org/model"), server.tokens, 512)
            started = await engine.start(Model(TINY))
            try:
                await greeting(started._servers.servers[0])
            finally:
                await started.close()

        with pytest.raises(UserError, match="its model is org/other, and model.path=org/model"):
            asyncio.run(greet())


BAD = {
    "engine.urls=[]": "must be a list of addresses",
    "engine.urls=[ftp://a]": "must be http:// or https://",
    "engine.urls=['http://user:pass@a']": "may hold no key or password",
    "engine.urls=[http://a/v1,http://a]": "one address twice",
    "engine.key_variable=sk-123": "must be the name of an environment variable",
    "engine.timeout_s=0": "must be a number of seconds > 0",
    "engine.tensor_parallel_size=2": "set it where the servers are started",
    "engine.nonsense=1": "no such engine argument",
    "engine.api_key=sk-123": "use an environment variable",
}


@pytest.mark.parametrize("bad, message", BAD.items())
def test_bad_settings_are_one_line_without_their_secret(capsys, tmp_path, bad, message):
    given = ["engine=server", "engine.urls=[http://127.0.0.1:1]", "tracking=none", f"runs_dir={tmp_path}", bad]
    status, _, err = run(capsys, *given)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert "pass@" not in err
    assert "sk-123" not in err


def test_without_any_server_the_command_ends_in_one_line(capsys, tmp_path):
    with served() as servers:
        pass
    status, _, err = run(capsys, *command(servers, tmp_path, *ALONE[1:]))
    assert status == 2
    assert "no server answers" in err.splitlines()[-1]


def test_questions_stay_on_one_server_and_all_servers_work():
    with served(3) as servers:
        for server in servers:
            server.slow_s = 0.02
        asked(servers, many(48, affinities=12))
        prompts = [{body["seed"] % 12 for body in server.bodies} for server in servers]
    assert sorted(affinity for each in prompts for affinity in each) == list(range(12))  # each on one of them
    assert all(len(each) == 4 for each in prompts)


def test_a_server_that_dies_is_left_out_and_its_requests_go_elsewhere(caplog):
    with served(2) as servers:
        for server in servers:
            server.slow_s = 0.5

        async def work(engine):
            threading.Timer(0.25, servers[0].die).start()
            return await many(16)(engine)

        done = asked(servers, work)
        servers[0].rise()
    assert all(each.tokens for each in done)
    assert len(servers[0].bodies) == 8  # met its end in the middle of them
    assert sum("left out" in line for line in caplog.messages) == 1


def test_a_server_that_hangs_is_left_out_and_asked_again_when_it_is_well(caplog):
    with served(2) as servers:
        servers[0].slow_s = 3600

        async def work(engine):
            asyncio.get_running_loop().call_later(0.1, setattr, servers[0], "hangs", True)
            before = await many(16)(engine)
            servers[0].hangs, servers[0].slow_s = False, 0.0
            start = time.monotonic()
            while not any("is back" in line for line in caplog.messages) and time.monotonic() < start + 20:
                await asyncio.sleep(0.05)
            seen = len(servers[0].bodies)
            await asyncio.gather(*(one(engine, affinity=100 + new) for new in range(8)))
            return before, len(servers[0].bodies) - seen

        before, after = asked(servers, work)
    assert all(each.tokens for each in before)
    assert any("left out (does not say" in line for line in caplog.messages)
    assert after > 0


def test_a_server_that_comes_back_with_another_model_stays_out():
    with served(2) as servers:

        async def work(engine):
            servers[0].die()
            await many(8)(engine)
            servers[0].swapped = {200: "?"}
            servers[0].rise()
            start = time.monotonic()
            while "vocabulary" not in engine._servers.servers[0].out and time.monotonic() < start + 20:
                await asyncio.sleep(0.05)
            seen = len(servers[0].bodies)
            await asyncio.gather(*(one(engine, affinity=100 + new) for new in range(8)))
            return len(servers[0].bodies) - seen, engine._servers.servers[0].out

        new, out = asked(servers, work)
    assert new == 0
    assert "another vocabulary" in out


def test_when_all_are_gone_the_engine_waits_and_then_has_died():
    async def work(engine):
        servers[0].die()
        waiting = asyncio.create_task(one(engine))
        await asyncio.sleep(0.5)
        servers[0].rise()
        done = await waiting
        servers[0].die()
        with pytest.raises(EngineDied, match="no server of engine.urls has answered for 4 s"):
            await one(engine)
        servers[0].rise()
        return done

    with served() as servers:
        assert asked(servers, work).tokens


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_it_names(status):
    with served() as [server]:
        server.answers.extend([(status, {"error": {"message": "busy"}}, {"Retry-After": "0.3"})] * 2)
        start = time.monotonic()
        assert asked([server], one).tokens
        assert time.monotonic() - start > 0.6
        assert len(server.bodies) == 3


def test_a_refused_request_fails_alone():
    async def work(engine):
        return await asyncio.gather(*(one(engine, seed=seed) for seed in range(4)), return_exceptions=True)

    with served() as [server]:
        server.answers.append((400, {"error": {"message": "no such thing"}}, {}))
        done = asked([server], work)
        assert len(server.bodies) == 4  # not sent again
    refused = [each for each in done if isinstance(each, Refused)]
    assert [str(each) for each in refused] == [f"{server.url}: 400 no such thing"]
    assert sum(not isinstance(each, Exception) for each in done) == 3


def test_a_refused_request_costs_its_group_and_no_other(capsys, tmp_path):
    with served() as [server]:
        server.answers.append((400, {"error": {"message": "no such thing"}}, {}))
        status, _, err = run(capsys, *command([server], tmp_path, *ALONE[1:], "limit=3"))
    assert status == 1
    assert "400 no such thing" in err
    assert len(list(tmp_path.glob("*/groups/*.parquet"))) == 2


GARBAGE = {
    "server error": (500, {"error": {"message": "boom"}}, {}),
    "no completion": (200, {"choices": []}, {}),
    "aborted": (200, {"choices": [{"token_ids": [1], "finish_reason": "abort"}]}, {}),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_a_passing_fault_is_tried_again(capsys, tmp_path, answer):
    with served() as [server]:
        server.answers.append(answer)
        assert run(capsys, *command([server], tmp_path, *ALONE[1:], "limit=1"))[0] == 0


def test_a_request_that_no_server_answers_ends():
    async def work(engine):
        with pytest.raises(Failed, match="500 boom"):
            await one(engine)

    with served() as [server]:
        server.answers.extend([GARBAGE["server error"]] * 20)
        asked([server], work)
        assert len(server.bodies) == 5


def test_a_cancelled_request_ends_on_the_server():
    async def work(engine):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await one(engine)
        await asyncio.sleep(0.3)

    with served() as [server]:
        server.slow_s = 30
        asked([server], work)
        assert server.cancelled == 1
        assert server.in_flight == 0


def test_the_key_is_sent_and_written_nowhere(capsys, tmp_path, monkeypatch):
    with served() as [server]:
        server.key = SECRET
        monkeypatch.setenv("VLLM_API_KEY", SECRET)
        given = [each for each in ALONE[1:] if not each.startswith("tracking")]
        arguments = command([server], tmp_path, *given, "limit=1", "tracking=wandb", "tracking.mode=offline")
        arguments.remove("tracking=none")
        status, out, err = run(capsys, *arguments)
        assert status == 0, err
        assert server.bodies
        server.key = "another"  # the server repeats what it got
        refused = run(capsys, *arguments, "seed=1")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert run_folders(tmp_path)
    assert len(files) > 5
    assert not [file for file in files if SECRET.encode() in Path(file).read_bytes()]
    assert SECRET not in out + err + "".join(map(str, refused))
    assert refused[0] == 2
    assert "401" in refused[2]
    assert "VLLM_API_KEY" in refused[2]
