// Where the parts of a group stand: lanes over tokens, with the same block of all paths in the same columns.

import { scaleLinear } from "d3-scale";

const GAP = 4;
const ROOM = 56; // for the messages of a block, between summaries and what is heard
const NARROWEST = 10; // of a column
const END = 18; // after the last column: for the sign of a forced answer
const HIDDEN = new Set(["prompt", "again"]); // the question, the same for all

// The phase of each segment of a path: what it thinks, its summary, what it hears.
function phases(path) {
  const summarized = new Set(path.segments.filter(([kind]) => kind === "summary").map(([, turn]) => turn));
  const heard = new Set();
  return path.segments.map(([kind, turn]) => {
    if (kind === "comment") heard.add(turn);
    if (kind === "comment" || kind === "summary") return kind;
    return kind === "trigger" && summarized.has(turn) && !heard.has(turn) ? "summary" : "think";
  });
}

// The columns of a group in order, each with the tokens of the path that has most there; and the parts of every path.
function measured(paths) {
  const columns = new Map();
  const lanes = paths.map((path) => {
    const used = new Map();
    const named = phases(path);
    let total = 0;
    return path.segments.flatMap(([kind, turn, , count], index) => {
      if (HIDDEN.has(kind)) return [];
      const key = `${turn} ${named[index]}`;
      if (!used.has(key)) used.set(key, 0);
      const column = columns.get(key) ?? { key, turn, phase: named[index], tokens: 0, order: [] };
      columns.set(key, column);
      const start = used.get(key);
      if (!start) column.order.push([...used.keys()].filter((each) => each.startsWith(`${turn} `)).length);
      used.set(key, start + count);
      column.tokens = Math.max(column.tokens, start + count);
      total += count;
      return [{ key, kind, turn, index, start, count, before: total - count }];
    });
  });
  const place = ({ order }) => order.reduce((sum, each) => sum + each, 0) / order.length;
  const sorted = [...columns.values()].sort((one, other) => one.turn - other.turn || place(one) - place(other));
  return { columns: sorted, lanes };
}

// Columns with `x0`, `x1`, `scale` and the `tokens` before them; lanes of parts with `x0`, `x1`; for this many pixels.
export function layout(paths, width) {
  const { columns, lanes } = measured(paths);
  const gap = (index) => (columns[index + 1]?.phase === "comment" ? ROOM : GAP);
  const gaps = columns.reduce((sum, _, index) => sum + gap(index), 0);
  const total = columns.reduce((sum, { tokens }) => sum + tokens, 0) || 1;
  const each = Math.max(0, (width - END - gaps - NARROWEST * columns.length) / total);
  let x = 0;
  let before = 0;
  columns.forEach((column, index) => {
    const x1 = x + NARROWEST + column.tokens * each;
    Object.assign(column, { x0: x, x1, before, scale: scaleLinear([0, column.tokens], [x, x1]) });
    before += column.tokens;
    x = x1 + gap(index);
  });
  const by = new Map(columns.map((column) => [column.key, column]));
  const placed = lanes.map((parts) =>
    parts.map((part) => {
      const { scale } = by.get(part.key);
      return { ...part, x0: scale(part.start), x1: scale(part.start + part.count) };
    }),
  );
  return { columns, lanes: placed, width: x + END, tokens: before };
}

// Who told whom what: a message for every peer that a path heard, with what probes say of both.
export function messages(group) {
  const place = new Map(group.paths.map(({ path }, lane) => [path, lane]));
  return group.paths.flatMap((hearer, to) =>
    hearer.routes.flatMap(({ turn, peers, similarity, tied }) =>
      peers.map((peer, index) => {
        const from = place.get(peer);
        const speaker = from === undefined ? undefined : group.paths[from];
        const said = speaker && probe(speaker, turn, "before");
        return { turn, from, to, peer, hearer: hearer.path, similarity: similarity[index] ?? null, tied, said };
      }),
    ),
  );
}

// What a path would have answered at a block, `before` its summary or `after` what it heard.
export function probe(path, turn, phase) {
  return path.probes.find((each) => each.turn === turn && each.phase === phase);
}

// What a block did to a path: recovered, harmed, changed (wrong either way), or nothing; undefined without probes.
export function flip(path, turn) {
  const [before, after] = [probe(path, turn, "before"), probe(path, turn, "after")];
  if (!before || !after) return undefined;
  if (before.correct !== after.correct) return after.correct ? "recovered" : "harmed";
  const same = before.cluster === null ? before.answer === after.answer : before.cluster === after.cluster;
  return same || before.correct ? "same" : "changed";
}

// Whether the runtime opened a path's answer, since the budget or the context ran out.
export const isForced = ({ finish }) => finish === "forced" || finish === "context_full";

// The blocks of a group, by turn.
export function turns(group) {
  const known = group.paths.flatMap((path) => [...path.routes, ...path.probes].map(({ turn }) => turn));
  return [...new Set(known)].sort((one, other) => one - other);
}
