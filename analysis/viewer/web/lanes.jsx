// A group as lanes: tokens from left to right, the same block in the same columns, messages as arrows between them.

import { linkHorizontal } from "d3-shape";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Sign, verdict } from "./frame.jsx";
import { flip, isForced, layout, messages, probe, turns } from "./layout.js";
import { go, link } from "./routes.js";
import { brief } from "./text.jsx";

const HEAD = 34; // above the lanes: the names of the blocks
const FOOT = 22; // below: tokens
const MANY = 300; // messages, of which each is drawn faintly
export const WORDS = {
  prefix: "given beginning",
  think: "own thinking",
  summary: "summary",
  comment: "heard from peers",
  trigger: "runtime",
  final: "answer",
};
const curve = linkHorizontal().x(([x]) => x).y(([, y]) => y);

export function Lanes({ group, run, block, zoom = 1, name }) {
  const place = useRef(null);
  const width = useWidth(place);
  const height = group.paths.length > 24 ? 18 : 26;
  const blocks = turns(group);
  const least = 160 + 150 * blocks.length; // pixels, so that the marks of a block stand apart
  const drawn = useMemo(() => layout(group.paths, Math.max(least, width) * zoom), [group, width, zoom]);
  const told = useMemo(() => messages(group), [group]);
  const [lane, setLane] = useState(null);
  const [tip, setTip] = useState(null);
  const shown = told.filter(({ turn }) => block === undefined || turn === block);
  const open = (path, turn) => go(link(["run", run.key, group.question_id, group.group, path], { block: turn }));
  const total = HEAD + height * group.paths.length + FOOT;
  return (
    <div class="lanes" ref={place}>
      <ol class="gutter" start="0" aria-label="Paths">
        {group.paths.map((path, index) => (
          <li class={height < 20 ? "low" : ""} onMouseEnter={() => setLane(index)} onMouseLeave={() => setLane(null)}>
            <a href={link(["run", run.key, group.question_id, group.group, path.path])} aria-label={described(path, blocks)}
              onFocus={() => setLane(index)} onBlur={() => setLane(null)}>
              {path.path} <Sign of={verdict(path.correct)} /> <span class="answer">{brief(path.answer ?? "none", 9)}</span>
            </a>
          </li>
        ))}
      </ol>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Lanes of ${name}: scroll sideways`}>
        <svg width={drawn.width} height={total} role="img" aria-label={summarized(group, told)}>
          <Columns {...drawn} height={total} blocks={blocks} block={block} />
          {group.paths.map((path, index) => (
            <Lane {...{ path, index, height, drawn, blocks, setLane, setTip }} dim={lane !== null && !near(shown, lane, index)}
              onOpen={() => open(path.path)} />
          ))}
          <g fill="none" class={shown.length > MANY ? "many" : undefined}>
            {shown.map((message) => (
              <Arrow {...{ message, drawn, height, setTip }} onOpen={() => open(message.hearer, message.turn)} dim={lane !== null && message.from !== lane && message.to !== lane} />
            ))}
          </g>
        </svg>
      </div>
      {tip && <Tip {...tip} />}
    </div>
  );
}

function useWidth(place) {
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => setWidth(Math.floor(contentRect.width) - 120));
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return width;
}

const near = (told, lane, index) =>
  lane === index || told.some(({ from, to }) => (from === lane && to === index) || (to === lane && from === index));

function described(path, blocks) {
  const flips = blocks.map((turn) => [turn, flip(path, turn)]).filter(([, what]) => what && what !== "same");
  const words = flips.map(([turn, what]) => `${what} at block ${turn + 1}`);
  const end = path.finish === "answered" ? [] : [path.finish.replace("_", " ")];
  return [`Path ${path.path}: ${verdict(path.correct)}, answer ${brief(path.answer ?? "none", 40)}`, ...words, ...end].join(", ");
}

function summarized(group, told) {
  const right = group.paths.filter(({ correct }) => correct).length;
  return `${group.paths.length} paths, ${right} right; ${told.length} messages, listed below as a table`;
}

function Columns({ columns, height, blocks, block, tokens, width }) {
  let last = -99;
  const marks = columns.filter(({ x0 }) => x0 - last > 44 && width - x0 > 110 && (last = x0) >= 0);
  return (
    <g class="columns">
      {columns.map(({ x0, x1, phase, turn }) => (
        <rect class={phase} x={x0} y={HEAD - 4} width={x1 - x0} height={height - HEAD - FOOT + 8}
          opacity={block === undefined || block === turn ? 1 : 0.4} />
      ))}
      {columns.filter(({ phase }) => phase === "comment").map(({ x0, turn }) => (
        <text x={x0} y={16} text-anchor="middle" class="block">
          {blocks.length > 12 ? turn + 1 : `block ${turn + 1}`}
        </text>
      ))}
      {marks.map(({ x0, before }) => <text x={x0} y={height - 6} class="tick">{before.toLocaleString("en")}</text>)}
      <text x={width} y={height - 6} class="tick" text-anchor="end">{tokens.toLocaleString("en")} tokens</text>
    </g>
  );
}

function Lane({ path, index, height, drawn, blocks, setLane, setTip, dim, onOpen }) {
  const y = HEAD + index * height;
  const parts = drawn.lanes[index];
  const last = parts[parts.length - 1];
  return (
    <g class={dim ? "lane dim" : "lane"} onMouseEnter={() => setLane(index)} onMouseLeave={() => setLane(null)} onClick={onOpen}>
      <rect class="hit" x={0} y={y} width={drawn.width} height={height} />
      {parts.map((part) => (
        <rect class={`part ${part.kind}`} x={part.x0} y={y + 5} width={Math.max(0.8, part.x1 - part.x0)} height={height - 10}
          onMouseMove={(event) => setTip(pointed(event, partTold(path, part)))} onMouseLeave={() => setTip(null)} />
      ))}
      {last && isForced(path) && (
        <text class="forced" x={last.x1 + 3} y={y + height / 2 + 4}>F<title>{path.finish}</title></text>
      )}
      {blocks.map((turn) => <Marks {...{ path, turn, drawn }} y={y + height / 2} />)}
    </g>
  );
}

function partTold(path, part) {
  const words = `path ${path.path}, ${WORDS[part.kind] ?? part.kind}, ${part.count} tokens`;
  return [words, brief(path.segments[part.index][2].trim(), 160)];
}

// What a path would have answered around a block, and whether the block turned it.
function Marks({ path, turn, drawn, y }) {
  const column = (phase) => drawn.columns.find((each) => each.turn === turn && each.phase === phase);
  const [summary, comment] = [column("summary"), column("comment")];
  const [before, after] = [probe(path, turn, "before"), probe(path, turn, "after")];
  const turned = flip(path, turn);
  return (
    <g class="marks">
      {before && summary && <Mark x={summary.x0} y={y} of={before} />}
      {after && comment && <Mark x={comment.x1} y={y} of={after} />}
      {comment && turned && turned !== "same" && <Turned x={comment.x1 + 12} y={y} of={turned} />}
    </g>
  );
}

function Mark({ x, y, of }) {
  if (of.answer === null) return <circle class="none" cx={x} cy={y} r={3.5} />;
  if (of.correct) return <circle class="right" cx={x} cy={y} r={4} />;
  return <path class="wrong" d={`M${x - 3.5} ${y - 3.5}l7 7m0 -7l-7 7`} />;
}

const TURNED = { recovered: "M0 -6l6 11h-12z", harmed: "M0 6l6 -11h-12z", changed: "M0 -5l5 5l-5 5l-5 -5z" };

function Turned({ x, y, of }) {
  return <path class={`turned ${of}`} d={TURNED[of]} transform={`translate(${x} ${y})`} />;
}

function Arrow({ message, drawn, height, setTip, dim, onOpen }) {
  const { turn, from, to, said } = message;
  const [hears, says] = ["comment", "summary"].map((phase) => drawn.columns.find((each) => each.turn === turn && each.phase === phase));
  if (from === undefined || !hears) return null;
  const middle = (lane) => HEAD + lane * height + height / 2;
  const x0 = says && says.x1 < hears.x0 ? says.x1 + 2 : hears.x0 - 50;
  const path = curve({ source: [x0, middle(from)], target: [hears.x0 - 5, middle(to)] });
  const told = [
    `block ${turn + 1}: path ${message.peer} told path ${message.hearer}`,
    `similarity ${message.similarity === null ? "unknown" : message.similarity.toFixed(2)}; the speaker was ${verdict(said?.correct)}`,
  ];
  return (
    <g class={`arrow ${verdict(said?.correct)}${dim ? " dim" : ""}`}
      onClick={onOpen} onMouseMove={(event) => setTip(pointed(event, told))} onMouseLeave={() => setTip(null)}>
      <path class="wide" d={path} />
      <path class="line" d={path} />
      <path class="tip" d={`M${hears.x0 - 6} ${middle(to) - 3}l6 3l-6 3z`} />
    </g>
  );
}

const pointed = (event, lines) => ({ x: event.clientX, y: event.clientY, lines });

function Tip({ x, y, lines }) {
  const left = Math.min(x + 14, innerWidth - 300);
  return (
    <div class="tooltip" role="tooltip" style={{ left: `${Math.max(4, left)}px`, top: `${y + 16}px` }}>
      {lines.map((line) => <div>{line}</div>)}
    </div>
  );
}
