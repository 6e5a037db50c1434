// One run: its questions as a grid, a tile a group, with filters.

import { useMemo } from "preact/hooks";
import { useDocument } from "./data.js";
import { Page, Progress, Sign, Wait } from "./frame.jsx";
import { go, link } from "./routes.js";
import { Marked, plain } from "./text.jsx";

const share = ({ right }) => [...right].filter((sign) => sign === "1").length / right.length;
const forced = (group) => [...group.forced].filter((sign) => sign === "1").length;

export const PATHS = {
  "": ["any number of paths right", () => true],
  right: ["all paths right", (group) => share(group) === 1],
  mixed: ["some paths right", (group) => share(group) > 0 && share(group) < 1],
  wrong: ["no path right", (group) => share(group) === 0],
};
export const MARKS = {
  "vote-wrong": ["vote wrong", (group) => group.vote < 0.5],
  recovered: ["recovered", (group) => group.recovered > 0],
  harmed: ["harmed", (group) => group.harmed > 0],
  forced: ["forced", (group) => forced(group) > 0],
};
const ORDERS = {
  "": ["question", null],
  right: ["most right", (group) => -share(group)],
  wrong: ["most wrong", share],
  recovered: ["most recovered", (group) => -group.recovered],
  harmed: ["most harmed", (group) => -group.harmed],
  tokens: ["most tokens", (group) => -group.tokens],
};

// The groups of a run that a query asks for, each with its question, in its order.
export function chosen(questions, { paths = "", marks = "", find = "", order = "" }) {
  const wanted = marks.split(",").filter((mark) => MARKS[mark]).map((mark) => MARKS[mark][1]);
  const tests = [PATHS[paths]?.[1] ?? PATHS[""][1], ...wanted];
  const found = questions
    .filter(({ id }) => id.toLowerCase().includes(find.toLowerCase()))
    .flatMap((question) => question.groups.map((group) => ({ question, group })))
    .filter(({ group }) => tests.every((test) => test(group)));
  const by = ORDERS[order]?.[1];
  return by ? found.sort((one, other) => by(one.group) - by(other.group)) : found;
}

export function Cell({ run, name, query, live }) {
  const state = live.runs[run.key] ?? run;
  const found = useDocument(run.file, `${state.version} ${state.status}`);
  const grid = found.value;
  const shown = useMemo(() => grid && chosen(grid.questions, query), [grid, JSON.stringify(query)]);
  if (!grid) return <Wait title={name} {...found} />;
  const all = grid.questions.flatMap(({ groups }) => groups);
  return (
    <Page title={name}>
      <p class="lead"><Progress {...state} /></p>
      <Filters query={query} groups={all} to={(changes) => go(link(["run", run.key], { ...query, ...changes }), true)} />
      <p role="status" class="found">{shown.length} of {all.length} groups</p>
      <ul class="grid">
        {shown.map(({ question, group }) => (
          <Tile key={`${question.file} ${group.group}`} {...{ run, question, group }} several={question.groups.length > 1} />
        ))}
      </ul>
      <p class="legend">
        A tile is a group of paths: a box a path, filled where it is right, crossed where it is wrong, underlined where its answer was
        forced. Its left edge is the majority vote: a line where it is right, double where it is wrong, dotted where it is tied. <Sign of="recovered" word /> and <Sign of="harmed" word /> count blocks that turned a wrong path right or a right
        one wrong{all.some(({ probed }) => probed) ? "" : " (this run has no probes, so none are known)"}.
      </p>
      <details class="notes">
        <summary>Settings</summary>
        <dl class="settings">
          {Object.entries(grid.labels).map(([key, value]) => <div><dt>{key}</dt><dd><Marked text={String(value)} /></dd></div>)}
        </dl>
      </details>
    </Page>
  );
}

function Filters({ query, groups, to }) {
  const marks = new Set((query.marks ?? "").split(",").filter(Boolean));
  const toggle = (mark) => {
    marks.has(mark) ? marks.delete(mark) : marks.add(mark);
    to({ marks: [...marks].join(",") || undefined });
  };
  const count = (test) => groups.filter(test).length;
  return (
    <form class="filters" role="search" aria-label="Filter groups" onSubmit={(event) => event.preventDefault()}>
      <label>
        Find <input type="search" id="find" value={query.find ?? ""} placeholder="question id"
          onInput={({ currentTarget }) => to({ find: currentTarget.value || undefined })} />
      </label>
      <label>
        Paths{" "}
        <select value={query.paths ?? ""} onChange={({ currentTarget }) => to({ paths: currentTarget.value || undefined })}>
          {Object.entries(PATHS).map(([value, [words, test]]) => <option value={value}>{words} ({count(test)})</option>)}
        </select>
      </label>
      <label>
        Order{" "}
        <select value={query.order ?? ""} onChange={({ currentTarget }) => to({ order: currentTarget.value || undefined })}>
          {Object.entries(ORDERS).map(([value, [words]]) => <option value={value}>{words}</option>)}
        </select>
      </label>
      <fieldset>
        <legend class="unsighted">Only groups with</legend>
        {Object.entries(MARKS).map(([mark, [words, test]]) => (
          <label class="chip">
            <input type="checkbox" checked={marks.has(mark)} onChange={() => toggle(mark)} /> {words} ({count(test)})
          </label>
        ))}
      </fieldset>
    </form>
  );
}

function Tile({ run, question, group, several }) {
  const right = [...group.right].filter((sign) => sign === "1").length;
  const late = forced(group);
  const vote = group.vote === 1 ? "vote right" : group.vote === 0 ? "vote wrong" : "vote tied";
  const told = [
    `${plain(question.id)}${several ? `, group ${group.group}` : ""}: ${right} of ${group.right.length} paths right, ${vote}`,
    group.recovered && `${group.recovered} recovered`,
    group.harmed && `${group.harmed} harmed`,
    late && `${late} forced`,
  ];
  return (
    <li class={vote.replace(" ", "-")}>
      <a href={link(["run", run.key, question.id, group.group])} aria-label={told.filter(Boolean).join(", ")}>
        <span class="id"><Marked text={question.id} />{several && <small> #{group.group}</small>}</span>
        <Boxes {...group} />
        <span class="counts">
          <span>{right}/{group.right.length}</span>
          {group.recovered > 0 && <Sign of="recovered" count={group.recovered} />}
          {group.harmed > 0 && <Sign of="harmed" count={group.harmed} />}
          {late > 0 && <Sign of="forced" count={late} />}
        </span>
      </a>
    </li>
  );
}

const ROW = 16; // boxes of a row

function Boxes({ right, forced }) {
  const at = (index) => [1 + (index % ROW) * 8, 1 + Math.floor(index / ROW) * 10];
  const draw = (signs, sign, shape) =>
    [...signs].map((each, index) => (each === sign ? shape(...at(index)) : "")).join("");
  const height = 10 * Math.ceil(right.length / ROW) + 1;
  return (
    <svg class="boxes" viewBox={`0 0 ${ROW * 8 + 1} ${height}`} width={ROW * 8 + 1} height={height} aria-hidden="true">
      <path class="right" d={draw(right, "1", (x, y) => `M${x} ${y}h6v6h-6z`)} />
      <path class="wrong" d={draw(right, "0", (x, y) => `M${x} ${y}l6 6m0 -6l-6 6`)} />
      <path class="forced" d={draw(forced, "1", (x, y) => `M${x} ${y + 8}h6`)} />
    </svg>
  );
}
