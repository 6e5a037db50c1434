"""Solve one question with LeaP from Python, and read what the paths wrote and whom they heard.

`python examples/one_group.py [KEY=VALUE ...]`, for example `engine=scripted` to try it without loading a model.
"""

import sys

import leap_lab

QUESTION = "a=38+27\nb=a-5\nc=b+12\nd=c-9\ne=d+4\nf=e-17\ng=f+8\nWhat is g?"


def main() -> None:
    """Two groups on one engine: a path's answer, its words by author, its peers."""
    with leap_lab.engine("model=tiny", *sys.argv[1:]):
        paths = leap_lab.solve(QUESTION, "router=dispersed", "router.top_k=2", "peers=4")
        alone = leap_lab.solve(QUESTION, "method=independent", "peers=4")
    print("with peers:", [path.answer for path in paths], " alone:", [path.answer for path in alone])
    path = max(paths, key=lambda path: path.blocks)
    for segment in path.segments:
        print(f"[{segment.kind} {segment.turn}] {segment.text}")
    for route in path.routes:
        print(f"block {route.turn}: heard paths {list(route.peers)}")


if __name__ == "__main__":
    main()
