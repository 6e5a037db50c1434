"""Decode a small sweep, read it as one table, and draw a figure of your own.

`python examples/from_runs_to_figure.py [KEY=VALUE ...]` writes tokens.png beside the runs, in the working directory.
"""

import sys
from pathlib import Path

import matplotlib

import leap_lab

matplotlib.use("agg")
from matplotlib import pyplot as plt


def main() -> None:
    """Right and wrong paths by the tokens they sampled, a panel a run."""
    runs = leap_lab.run("router=clustered,dispersed", "limit=8", "peers=8", "tracking=none", *sys.argv[1:])
    paths = leap_lab.load(runs)  # one row per path, the settings of its run as columns
    paths["tokens"] = paths["tokens_think"] + paths["tokens_summary"]
    paths["run"] = paths["router"].fillna("independent")
    figure, panels = plt.subplots(1, paths["run"].nunique(), sharey=True, figsize=(9, 3), layout="constrained")
    for axes, (name, rows) in zip(panels, paths.groupby("run"), strict=True):
        axes.hist([rows.loc[rows["correct"] == right, "tokens"] for right in (True, False)], label=["right", "wrong"])
        axes.set(title=str(name), xlabel="sampled tokens")
    panels[0].legend()
    out = Path("tokens.png")
    figure.savefig(out)
    print(paths.groupby("run")[["correct", "tokens"]].mean().round(2))
    print(f"Look next at {out}")


if __name__ == "__main__":
    main()
