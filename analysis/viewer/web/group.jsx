// One group: its question, its lanes, and its messages as a table.

import { useState } from "preact/hooks";
import { Page, Sign, verdict } from "./frame.jsx";
import { Lanes, WORDS } from "./lanes.jsx";
import { flip, messages, probe, turns } from "./layout.js";
import { go, link } from "./routes.js";
import { brief, Marked, Prose } from "./text.jsx";

export function Group({ run, runs, grid, document, group, query }) {
  const [zoom, setZoom] = useState(1);
  const blocks = turns(group);
  const block = blocks.includes(Number(query.block)) && query.block !== undefined ? Number(query.block) : undefined;
  const here = ["run", run.key, group.question_id, group.group];
  return (
    <Page title={`${group.question_id}${document.groups.length > 1 ? ` #${group.group}` : ""}`}>
      <Steps {...{ run, grid, group }} />
      <Asked group={group} />
      <div class="controls">
        <label>
          Messages of{" "}
          <select id="block" value={block ?? ""} onChange={({ currentTarget }) => go(link(here, { block: currentTarget.value }), true)}>
            <option value="">all blocks</option>
            {blocks.map((turn) => <option value={turn}>block {turn + 1}</option>)}
          </select>
        </label>
        <span class="zoom" role="group" aria-label="Zoom">
          <button type="button" id="less" disabled={zoom <= 1} onClick={() => setZoom(zoom / 2)}>−</button>
          <span aria-live="polite">{zoom}×</span>
          <button type="button" id="more" disabled={zoom >= 32} onClick={() => setZoom(zoom * 2)}>+</button>
        </span>
        <Others {...{ run, runs, group }} />
      </div>
      <Lanes {...{ group, run, block, zoom }} name={brief(group.question_id)} />
      <Legend group={group} />
      <Messages group={group} link={(path) => link([...here, path])} />
    </Page>
  );
}

// To the groups before and after this one.
function Steps({ run, grid, group }) {
  const all = grid.questions.flatMap(({ id, groups }) => groups.map((each) => [id, each.group]));
  const at = all.findIndex(([id, number]) => id === group.question_id && number === group.group);
  const step = (place, words, name) =>
    place && <a id={name} class="step" href={link(["run", run.key, ...place])}>{words} <Marked text={brief(place[0], 40)} /></a>;
  return (
    <nav class="steps" aria-label="Groups">
      {step(all[at - 1], "←", "previous")}
      {step(all[at + 1], "→", "next")}
    </nav>
  );
}

// The question as it was put, the right answer, and what the paths answered.
export function Asked({ group, only = false }) {
  const prompt = group.paths[0].segments.find(([kind]) => kind === "prompt")?.[2] ?? "";
  return (
    <section class="asked" aria-label="Question">
      {!only && <Question prompt={prompt} />}
      <p>Right answer: <strong><Marked text={brief(group.gold, 200)} /></strong></p>
      <ul class="answers" aria-label="Answers of the paths">
        {answers(group).map(({ text, correct, paths }) => (
          <li><Sign of={text === null ? "unknown" : verdict(correct)} /> <Marked text={brief(text ?? "no answer", 60)} /> <small>× {paths}</small></li>
        ))}
      </ul>
    </section>
  );
}

export function Question({ prompt }) {
  return (
    <details open>
      <summary>Question</summary>
      <div class="question" tabIndex={0}><Prose text={prompt.trim()} math /></div>
    </details>
  );
}

function answers(group) {
  const found = new Map();
  for (const { answer, cluster, correct } of group.paths) {
    const key = cluster ?? answer;
    const known = found.get(key) ?? { text: answer, correct, paths: 0 };
    found.set(key, { ...known, paths: known.paths + 1 });
  }
  return [...found.values()].sort((one, other) => other.paths - one.paths);
}

// The same question in another run, beside this one.
function Others({ run, runs, group }) {
  const others = runs.filter(({ key, groups }) => key !== run.key && groups > 0);
  if (!others.length) return null;
  const show = ({ currentTarget }) =>
    currentTarget.value && go(link(["beside", run.key, currentTarget.value, group.question_id, group.group, 0]));
  return (
    <label>
      Beside{" "}
      <select id="beside" onChange={show}>
        <option value="">another run</option>
        {others.map(({ key, name }) => <option value={key}>{brief(name ?? key)}</option>)}
      </select>
    </label>
  );
}

export function Legend({ group }) {
  const kinds = [...new Set(group.paths.flatMap(({ segments }) => segments.map(([kind]) => kind)))];
  const probed = group.paths.some(({ probes }) => probes.length);
  const one = (of) => <svg class={`key ${of}`} width="22" height="12" aria-hidden="true"><path d="M0 6h22" /></svg>;
  return (
    <div class="legend" role="note" aria-label="Legend">
      {Object.entries(WORDS).filter(([kind]) => kinds.includes(kind)).map(([kind, words]) => (
        <span><i class={`swatch ${kind}`} aria-hidden="true" /> {words}</span>
      ))}
      {probed ? (
        <>
          <span>{one("right")} said by a path that was right</span>
          <span>{one("wrong")} … wrong</span>
          <span>At a block: what the path would have answered before and after, <span class="sign right">● right</span> or <Sign of="wrong" word /></span>
          <span><Sign of="recovered" word /> <Sign of="harmed" word /> <Sign of="changed" word /> (to another wrong answer)</span>
        </>
      ) : (
        <span>This run has no probes: what paths would have answered at a block is not known.</span>
      )}
      <span><Sign of="forced" word />: the budget or the context ran out</span>
    </div>
  );
}

function Messages({ group, link: to }) {
  const told = messages(group);
  if (!told.length) return <p>No path heard another one here.</p>;
  return (
    <details class="messages">
      <summary>{told.length} messages as a table</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Messages">
        <table>
          <thead>
            <tr>{["block", "from", "speaker was", "to", "similarity", "hearer before", "hearer after", "turned"].map((name) => <th scope="col">{name}</th>)}</tr>
          </thead>
          <tbody>
            {told.map(({ turn, peer, hearer, from, to: lane, similarity, said }) => {
              const path = group.paths[lane];
              const turned = flip(path, turn);
              return (
                <tr>
                  <td>{turn + 1}</td>
                  <td>{from === undefined ? `helper ${peer}` : <a href={to(peer)}>path {peer}</a>}</td>
                  <td><Sign of={verdict(said?.correct)} word /></td>
                  <td><a href={to(hearer)}>path {hearer}</a></td>
                  <td>{similarity === null ? "" : similarity.toFixed(2)}</td>
                  {["before", "after"].map((phase) => <td>{brief(probe(path, turn, phase)?.answer ?? "", 20)}</td>)}
                  <td>{turned && turned !== "same" && <Sign of={turned} word />}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
