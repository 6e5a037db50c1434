"""The endpoint through OpenAI's own client: what it answers, and that it is what `solve` decides."""

import json
import urllib.error
import urllib.request
from collections import Counter

import pytest
from openai import APIStatusError, AuthenticationError

import leap_lab
from leap_lab import siblings
from leap_lab.errors import UserError
from leap_lab.serve.cells import Cells
from leap_lab.serve.groups import Asked, decided
from leap_lab.settings.arguments import Arguments
from tests.commands import rows_of, run
from tests.doubles import QUESTION as PROBLEM
from tests.doubles import leap
from tests.methods.doubles import Talk, solve
from tests.serve.endpoint import BASE, QUESTION, ask, endpoint


@pytest.fixture(scope="module")
def served():
    with endpoint("peers=8") as running:
        yield running


def read(url: str, key: str | None = None) -> str:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.read().decode()


def test_an_answer_is_what_most_paths_of_the_group_say(served):
    answer = ask(served.client(), extra_body={"leap": {"paths": True}})
    [choice] = answer.choices
    paths = choice.leap["paths"]
    votes = Counter(path["answer"] for path in paths if path["answer"] is not None)
    assert len(paths) == 8
    assert votes[choice.leap["answer"]] == max(votes.values())
    assert f"\\boxed{{{choice.leap['answer']}}}" in choice.message.content
    assert choice.leap["support"] == pytest.approx(votes[choice.leap["answer"]] / sum(votes.values()), abs=1e-4)
    assert "a=38+51" in choice.message.reasoning_content
    assert "</think>" not in choice.message.reasoning_content
    assert any(path["routes"] for path in paths)
    assert {"prompt", "think", "summary", "comment"} <= {part["kind"] for path in paths for part in path["segments"]}


def test_usage_counts_every_sampled_token_of_the_group(served):
    answer = ask(served.client(), n=2, extra_body={"leap": {"paths": True}})
    paths = [path for choice in answer.choices for path in choice.leap["paths"]]
    sampled = sum(path["tokens_think"] + path["tokens_summary"] for path in paths)
    assert answer.usage.completion_tokens == sampled
    shown = sum(choice.leap["paths"][choice.leap["path"]]["tokens_answer"] for choice in answer.choices)
    assert answer.usage.completion_tokens_details.reasoning_tokens == sampled - shown
    assert 0 < answer.usage.prompt_tokens < 200
    assert answer.usage.total_tokens == sampled + answer.usage.prompt_tokens


def test_a_seed_repeats_an_answer_and_without_one_it_is_drawn_anew(served):
    client, group = served.client(), {"extra_body": {"leap": {"paths": True}}}
    first, again, other = (ask(client, seed=seed, **group).choices[0].leap["paths"] for seed in (5, 5, 6))
    assert first == again
    assert first != other
    fresh = [json.dumps(ask(client, **group).choices[0].leap["paths"]) for _ in range(3)]
    assert len(set(fresh)) == 3


def test_a_stream_says_the_same_as_the_whole_answer(served):
    client = served.client()
    whole = ask(client, seed=3, n=2)
    chunks = list(ask(client, seed=3, n=2, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage == whole.usage
    for index, choice in enumerate(whole.choices):
        deltas = [part for chunk in chunks for part in chunk.choices if part.index == index]
        assert "".join(part.delta.content or "" for part in deltas) == choice.message.content
        thought = "".join(getattr(part.delta, "reasoning_content", None) or "" for part in deltas)
        assert thought == choice.message.reasoning_content
        assert deltas[0].delta.role == "assistant"
        assert [part.finish_reason for part in deltas if part.finish_reason] == [choice.finish_reason]
        assert deltas[-1].leap == choice.leap


def test_text_completions_answer_several_questions_and_stream(served):
    client, other = served.client(), QUESTION.replace("38", "40")
    answer = client.completions.create(model="tiny", prompt=[QUESTION, other], seed=1)
    single = [client.completions.create(model="tiny", prompt=each, seed=1) for each in (QUESTION, other)]
    assert [choice.text for choice in answer.choices] == [each.choices[0].text for each in single]
    chunks = list(client.completions.create(model="tiny", prompt=QUESTION, seed=1, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == answer.choices[0].text


def test_a_request_chooses_method_and_parameters(served):
    client = served.client()
    alone = {"method": "independent", "peers": 3, "paths": True}
    answer = ask(client, extra_body={"leap": alone}).choices[0].leap
    assert len(answer["paths"]) == 3
    assert not any(path["routes"] for path in answer["paths"])
    few = {"method.interval": 32, "method.summary_tokens": 16, "router": "random", "router.top_k": 1, "paths": True}
    answer = ask(client, temperature=0.5, extra_body={"leap": few}).choices[0].leap
    assert max(len(route["peers"]) for path in answer["paths"] for route in path["routes"]) == 1


def test_max_tokens_bounds_the_thinking_of_a_path_and_stop_cuts_the_content(served):
    client, group = served.client(), {"leap": {"paths": True}}
    paths = ask(client, max_tokens=70, extra_body=group).choices[0].leap["paths"]
    assert max(path["tokens_think"] + path["tokens_summary"] - path["tokens_answer"] for path in paths) <= 70
    assert ask(client, max_tokens=10**6).choices
    assert "boxed" not in ask(client, stop=["\\boxed"]).choices[0].message.content


def test_what_a_system_message_says_stands_before_the_question(served):
    messages = [
        {"role": "system", "content": "Be exact."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    answer = served.client().chat.completions.create(
        model="tiny", messages=messages, extra_body={"leap": {"paths": True}}
    )
    prompt = answer.choices[0].leap["paths"][0]["segments"][0]["text"]
    assert "Be exact.\n\na=38+51" in prompt


USER = {"role": "user", "content": QUESTION}
BAD = {
    "another model": ({"model": "gpt-4"}, 404, "model=gpt-4: no such model; this endpoint has tiny"),
    "n": ({"n": 99}, 400, "n=99: 99 groups in all; must be from 1 to 8"),
    "no n": ({"n": 0}, 400, "n: Input should be greater than or equal to 1"),
    "seed": ({"seed": -1}, 400, "seed=-1: must be from 0 to"),
    "temperature": ({"temperature": -1}, 400, "sampling.temperature=-1: must be a number >= 0"),
    "type": ({"temperature": "hot"}, 400, "temperature"),
    "tools": ({"tools": [{"type": "function", "function": {"name": "f"}}]}, 400, "tools="),
    "logprobs": ({"logprobs": True}, 400, "logprobs=True: an endpoint of groups does not support it"),
    "json": ({"response_format": {"type": "json_object"}}, 400, "response_format="),
    "turns": ({"messages": [USER, {"role": "assistant", "content": "x"}, USER]}, 400, "must be one question"),
    "image": ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "must be text"),
    "empty": ({"messages": [{"role": "user", "content": " "}]}, 400, "the question is empty"),
    "too small": ({"max_tokens": 3}, 400, "method.interval="),
    "key": ({"extra_body": {"leap": {"engine.max_model_len": 9}}}, 400, "cannot be chosen by a request"),
    "address": ({"extra_body": {"leap": {"method._target_": "os.system"}}}, 400, "method._target_"),
    "name": ({"extra_body": {"leap": {"method.name": "leap"}}}, 400, "is set by the choice"),
    "secret": ({"extra_body": {"leap": {"router.similarity": "${oc.env:HOME}"}}}, 400, "without ${"),
    "value": ({"extra_body": {"leap": {"method.interval": 0}}}, 400, "method.interval=0: must be"),
    "method": ({"extra_body": {"leap": {"method": "psychic"}}}, 400, "method=psychic: no such choice"),
    "path": ({"extra_body": {"leap": {"method": "../x"}}}, 400, "must be the name of a choice"),
    "sweep": ({"extra_body": {"leap": {"router.similarity": "indel,levenshtein"}}}, 400, "similarity"),
    "peers": ({"extra_body": {"leap": {"peers": 4096}}}, 400, "peers=4096: must be at most 64"),
    "long": ({"messages": [{"role": "user", "content": "word " * 4000}]}, 400, "does not fit"),
    "body": ({"messages": [{"role": "user", "content": "x" * 2**20}]}, 413, "longer than 1048576 bytes"),
}


@pytest.mark.parametrize("given, status, message", BAD.values(), ids=BAD)
def test_a_bad_request_gets_an_error_in_openais_form(served, given, status, message):
    with pytest.raises(APIStatusError) as caught:
        served.client().chat.completions.create(**{"model": "tiny", "messages": [USER], **given})
    error = caught.value.response.json()["error"]
    assert caught.value.status_code == status
    assert message in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert "\n" not in error["message"]


BODIES = {"cut": b"{", "list": b"[]", "text": b'"x"', "byte": b"\xff", "deep": b"[" * 100_000}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_object_is_a_bad_request(served, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{served.url}/v1/chat/completions", body)
    assert caught.value.code == 400
    assert "error" in json.loads(caught.value.read())


def test_half_a_character_is_a_bad_request(served):
    body = rb'{"model": "tiny", "messages": [{"role": "user", "content": "\ud800"}]}'
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{served.url}/v1/chat/completions", body)
    assert caught.value.code == 400
    assert "half of a character" in json.loads(caught.value.read())["error"]["message"]


def test_unknown_places_and_verbs_get_errors_too(served):
    for place, code in (("/v1/embeddings", 404), ("/v1/completions", 405)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            read(served.url + place)
        assert caught.value.code == code
        assert "error" in json.loads(caught.value.read())


def test_models_health_and_metrics_tell_what_was_done(served):
    client = served.client()
    ask(client)
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert read(f"{served.url}/health") == ""
    told = read(f"{served.url}/metrics")
    assert 'leap_lab_requests_total{endpoint="/v1/chat/completions",status="200"}' in told
    assert "leap_lab_groups_running 0.0" in told
    assert 'leap_lab_tokens_total{kind="sampled"}' in told


def test_a_key_is_asked_for_where_one_is_set():
    with endpoint(key="secret") as served:
        assert ask(served.client("secret")).choices
        with pytest.raises(AuthenticationError, match="no such key"):
            ask(served.client("other"))
        assert read(f"{served.url}/health") == ""
        with pytest.raises(urllib.error.HTTPError):
            read(f"{served.url}/v1/models")
        assert "tiny" in read(f"{served.url}/v1/models", "secret")


def test_served_groups_can_be_kept_and_read(tmp_path):
    with endpoint("serve.keep=true", f"runs_dir={tmp_path}") as served:
        client = served.client()
        shown = ask(client, n=2, extra_body={"leap": {"paths": True}})
        ask(client, extra_body={"leap": {"method": "independent"}})
    folders = sorted(file.parent for file in tmp_path.glob("*/identity.json"))
    assert len(folders) == 2
    runs = {run["method"].iloc[0]: run for run in (leap_lab.load([folder]) for folder in folders)}
    kept = runs["leap"]
    assert sorted(set(kept["group"])) == [0, 1]
    said = [path["answer"] for choice in shown.choices for path in choice.leap["paths"]]
    assert kept["answer"].tolist() == said
    assert kept["correct"].isna().all()
    with pytest.raises(UserError, match="no right answers are known"):
        siblings.analysis("measures.metrics").per_group(kept)
    for folder in folders:
        record = json.loads((folder / "run.json").read_text())
        assert record["status"] == "finished"
        assert record["ledger"]["groups"] == len(list((folder / "groups").iterdir()))


def test_ours_decodes_from_our_own_endpoint(capsys, tmp_path):
    small = ["tracking=none", "peers=4", "limit=2", "method=leap"]
    with endpoint() as served:
        far = ["engine=server", f"engine.urls=[{served.url}]", f"runs_dir={tmp_path / 'far'}"]
        assert run(capsys, *small, *far)[0] == 0
    assert run(capsys, *small, "engine=scripted", f"runs_dir={tmp_path / 'near'}")[0] == 0
    columns = ["question_id", "path", "blocks", "tokens_think", "seed", "segments"]
    far, near = (
        rows_of(tmp_path / name)[columns].sort_values(columns).reset_index(drop=True) for name in ("far", "near")
    )
    assert far.equals(near)


def test_a_group_decides_by_votes_then_by_length():
    paths, _ = solve(leap(), Talk({0: "thought", 1: "</think>"}), peers=4)
    cells = Cells(Arguments.read(list(BASE)), 64)
    asked = Asked(cells.own, PROBLEM, 0)

    def of(clusters, sampled=None):
        rows = [{"cluster": cluster, "answer": str(cluster)} for cluster in clusters]
        for path, cut in zip(paths, sampled or [0] * 4, strict=True):
            path.tokens_cut = cut
        group = decided(asked, paths, rows)
        return group.chosen, group.support

    assert of([0, 1, 1, 0], [5, 9, 3, 4]) == (2, 0.5)
    assert of([0, 1, 1, None], [0, 7, 6, 0]) == (2, 2 / 3)
    assert of([None] * 4, [3, 2, 1, 1]) == (2, 0.0)
    for path, weight in zip(paths, (0.0, 2.0, 0.0, None), strict=True):
        path.weight = weight  # how much it counts, where its method says so; its absence is as good as None
    assert of([0, 0, 1, 1], [0, 9, 0, 5]) == (1, 2 / 3)
