// One path: what it wrote, what was written into it, and beside what it heard the summaries that this quotes.

import { useEffect, useState } from "preact/hooks";
import { Page, Sign, verdict } from "./frame.jsx";
import { flip, isForced, probe, turns } from "./layout.js";
import { link } from "./routes.js";
import { brief, Marked, Prose } from "./text.jsx";

const AUTHORS = {
  prompt: ["the question", "runtime"],
  again: ["the question again", "runtime"],
  prefix: ["given beginning", "runtime"],
  think: ["own thinking", "model"],
  trigger: ["request", "runtime"],
  summary: ["own summary", "model"],
  comment: ["heard from peers", "peers"],
  final: ["own answer", "model"],
};
const TOKENS = {
  tokens_think: "thinking and answer",
  tokens_summary: "summaries",
  tokens_cut: "cut back",
  tokens_comment: "received",
  tokens_forced: "forced",
  tokens_prompt: "prompt",
  tokens_probe: "probes",
  critical_path: "critical path",
};

export function Path({ run, group, path, query }) {
  const [math, setMath] = useState(true);
  const here = ["run", run.key, group.question_id, group.group];
  const at = group.paths.indexOf(path);
  useEffect(() => { show(query.block); }, [query.block]);
  return (
    <Page title={`Path ${path.path}`}>
      <nav class="steps" aria-label="Paths">
        {at > 0 && <a id="previous" class="step" href={link([...here, group.paths[at - 1].path])}>← path {group.paths[at - 1].path}</a>}
        {at + 1 < group.paths.length && <a id="next" class="step" href={link([...here, group.paths[at + 1].path])}>→ path {group.paths[at + 1].path}</a>}
      </nav>
      <p class="lead">
        <Sign of={verdict(path.correct)} word /> Its answer is <strong><Marked text={brief(path.answer ?? "none", 200)} /></strong>; the right one is{" "}
        <strong><Marked text={brief(group.gold, 200)} /></strong>. {isForced(path) ? <Sign of="forced" word /> : path.finish !== "answered" && <Marked text={String(path.finish)} />}
      </p>
      <Figures path={path} />
      <Blocks path={path} to={(turn) => link([...here, path.path], { block: turn })} />
      <label class="chip"><input type="checkbox" id="math" checked={math} onChange={() => setMath(!math)} /> set LaTeX</label>
      <ol class="segments">
        {parts(path).map(({ index, kind, turn, text, count, start, forced }) => (
          <Segment {...{ index, kind, turn, text, count, start, forced, math, group, path }} here={here} />
        ))}
      </ol>
    </Page>
  );
}

// Links to what it heard at each block, with what that did.
function Blocks({ path, to }) {
  const blocks = turns({ paths: [path] }).filter((turn) => path.segments.some(([kind, at]) => kind === "comment" && at === turn));
  if (!blocks.length) return null;
  return (
    <nav class="steps" aria-label="Blocks">
      {blocks.map((turn) => {
        const turned = flip(path, turn);
        return (
          <span>
            <a class="step" href={to(turn)} onClick={() => show(turn)}>block {turn + 1}</a>{" "}
            {turned && turned !== "same" && <Sign of={turned} word />}
          </span>
        );
      })}
    </nav>
  );
}

const show = (turn) => turn !== undefined && document.getElementById(`block-${turn}`)?.scrollIntoView({ block: "center" });

// Segments with the tokens before them; `forced`: the runtime opened the answer.
function parts(path) {
  let start = 0;
  const last = path.segments.findLastIndex(([kind]) => kind === "trigger");
  const own = path.segments.findLastIndex(([kind]) => kind === "summary" || kind === "think");
  return path.segments.map(([kind, turn, text, count], index) => {
    const forced = isForced(path) && last > own && index >= last && last >= 0;
    start += count;
    return { index, kind, turn, text, count, start: start - count, forced };
  });
}

function Figures({ path }) {
  const seconds = path.finished_s - path.started_s;
  const shown = Object.entries(TOKENS).filter(([name]) => path.counts[name]);
  return (
    <dl class="figures">
      {shown.map(([name, words]) => <div><dt>{words}</dt><dd>{path.counts[name].toLocaleString("en")} <small>tokens</small></dd></div>)}
      <div><dt>blocks</dt><dd>{path.blocks}</dd></div>
      {path.started_s > 0 && (
        <div>
          <dt>time</dt>
          <dd><time dateTime={iso(path.started_s)}>{clock(path.started_s)}</time>, {seconds.toFixed(1)} s</dd>
        </div>
      )}
      <div><dt>seed</dt><dd>{path.seed}</dd></div>
    </dl>
  );
}

const iso = (seconds) => new Date(seconds * 1000).toISOString();
const clock = (seconds) => `${iso(seconds).slice(0, 19).replace("T", " ")} UTC`;

function Segment({ index, kind, turn, text, count, start, forced, math, group, path, here }) {
  const [words, author] = AUTHORS[kind] ?? [kind, "unknown"];
  const name = forced ? (kind === "trigger" ? "forced opening" : "forced answer") : words;
  const about = `${name}${kind === "summary" || kind === "comment" ? ` · block ${turn + 1}` : ""}`;
  const body = kind === "comment" ? <Heard {...{ text, turn, math, group, path, here }} /> : <Prose text={text} math={math} />;
  const head = (
    <>
      <span class="author">{about}</span>{" "}
      <small>{author}, {count.toLocaleString("en")} tokens from {start.toLocaleString("en")}</small>
    </>
  );
  return (
    <li class={`segment ${kind}${forced ? " forced" : ""}`} id={kind === "comment" ? `block-${turn}` : undefined}>
      {kind === "prompt" || kind === "again" ? (
        <details><summary>{head}</summary>{body}</details>
      ) : (
        <section aria-label={about}><div class="head">{head}</div>{body}</section>
      )}
    </li>
  );
}

// What a path heard at a block, beside the summaries that this quotes, and what it did to the path.
function Heard({ text, turn, math, group, path, here }) {
  const route = path.routes.find((each) => each.turn === turn);
  const turned = flip(path, turn);
  const [before, after] = [probe(path, turn, "before"), probe(path, turn, "after")];
  return (
    <>
      {before && after && (
        <p class="effect">
          Would have answered <Answered of={before} /> before and <Answered of={after} /> after.{" "}
          {turned !== "same" && <Sign of={turned} word />}
        </p>
      )}
      <div class="heard">
        <Prose text={text} math={math} />
        {route && (
          <ul class="quoted" aria-label="Summaries that this quotes">
            {route.peers.map((peer, index) => (
              <Quoted {...{ peer, turn, math, here }} similarity={route.similarity[index]} path={group.paths.find((each) => each.path === peer)} />
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

function Answered({ of }) {
  return <><strong><Marked text={brief(of.answer ?? "nothing", 40)} /></strong> <Sign of={verdict(of.correct)} /></>;
}

function Quoted({ peer, turn, math, here, similarity, path }) {
  if (!path) return <li>helper {peer}, which has no row of its own</li>;
  const said = path.segments.filter(([kind, at]) => kind === "summary" && at === turn).map(([, , text]) => text).join("");
  return (
    <li>
      <a href={link([...here, peer])}>path {peer}</a> <Sign of={verdict(probe(path, turn, "before")?.correct)} word />
      {similarity !== undefined && similarity !== null && <small> similarity {similarity.toFixed(2)}</small>}
      {said ? <Prose text={said} math={math} /> : <p><small>no summary at this block</small></p>}
    </li>
  );
}
