"""The evaluation of the built-in model, run with the programmatic reasoner in its place."""

from leap_lab.builtin.evaluate import evaluate


def test_it_prints_every_table_and_goes_on_where_it_stood(tmp_path, capsys):
    common = ["engine=scripted", "tracking=none", "limit=10", "peers=8", "dataset.seed=5"]
    evaluate(common, tmp_path)
    out, _ = capsys.readouterr()
    for words in (
        "dispersed k=2",
        "wrong to right %",
        "Difficulty of 10 questions: very_easy",
        "k=4 fraction=0.3",
    ):
        assert words in out
    evaluate(common, tmp_path)
    again, err = capsys.readouterr()
    assert again.partition("| run")[2] == out.partition("| run")[2]
    assert "starting the engine" not in err
