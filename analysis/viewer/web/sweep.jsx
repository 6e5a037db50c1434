// The first page: runs side by side, as `python -m analysis report` tells them, and sortable.

import { scaleLinear } from "d3-scale";
import { useState } from "preact/hooks";
import { Page, Progress, Wait } from "./frame.jsx";
import { go, link } from "./routes.js";
import { brief, Marked } from "./text.jsx";
import { useDocument } from "./data.js";

const UNITS = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 };
const DRAWN = { "Pass@1 %": "pass@1", "Cons@": "cons" };

// The number that a cell begins with; null where it has none.
export function leading(cell) {
  const found = /^([+-]?[\d.]+)([kMGTPE](?!\w))?/.exec(cell ?? "");
  return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) : null;
}

// Rows in the order of a column; those without a number come last, whichever way.
export function sorted(rows, column, down) {
  const numbers = column > 0 && rows.some(({ cells }) => leading(cells[column]) !== null);
  const value = ({ cells }) => (numbers ? leading(cells[column]) : cells[column]);
  const known = rows.filter((row) => value(row) !== null);
  known.sort((one, other) => (value(one) < value(other) ? -1 : value(one) > value(other) ? 1 : 0));
  return [...(down ? known.reverse() : known), ...rows.filter((row) => value(row) === null)];
}

export function Sweep({ live, query }) {
  const [versions] = useState(() => ({}));
  const version = Object.values(live.runs).map((run) => `${run.version} ${run.status}`).join();
  versions.now = version || versions.now;
  const found = useDocument("sweep", versions.now);
  if (!found.value) return <Wait title="Runs" {...found} />;
  const { head, notes, runs, rows } = found.value;
  const withTable = runs.filter(({ key }) => rows[key]).map((run) => ({ ...run, ...rows[run.key] }));
  const [column, down] = [Number(query.sort ?? -1), query.down === "1"];
  const shown = column < 0 ? withTable : sorted(withTable, column, down);
  const sort = (index) =>
    go(link([], { sort: index, down: index === column ? (down ? undefined : 1) : index ? 1 : undefined }), true);
  return (
    <Page title={`${runs.length} run${runs.length === 1 ? "" : "s"}`}>
      <div class="scroll" tabIndex={0} role="region" aria-label="Runs side by side">
        <table class="runs">
          <thead>
            <tr>
              {head.map((name, index) => (
                <th aria-sort={index === column ? (down ? "descending" : "ascending") : "none"}>
                  <button type="button" onClick={() => sort(index)}>
                    {name} <span aria-hidden="true">{index === column ? (down ? "▼" : "▲") : "↕"}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <Line run={run} head={head} state={live.runs[run.key] ?? run} />
            ))}
            {runs.filter(({ key }) => !rows[key]).map((run) => (
              <tr>
                <th scope="row"><Marked text={run.key} /></th>
                <td colSpan={Math.max(1, head.length - 1)}>no groups yet: <Progress {...(live.runs[run.key] ?? run)} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>A run's name leads to its questions. Bars show 95% intervals from 0 to 100%.</p>
      <details class="notes">
        <summary>What the columns mean</summary>
        <ul>{notes.map((note) => <li><Marked text={note} /></li>)}</ul>
      </details>
    </Page>
  );
}

function Line({ run, head, state }) {
  return (
    <tr>
      <th scope="row">
        <a href={link(["run", run.key])}><Marked text={run.name} /></a>
        <small><Marked text={run.key} /></small>
        <small><Progress {...state} short /></small>
      </th>
      {run.cells.slice(1).map((cell, index) => {
        const drawn = Object.keys(DRAWN).find((name) => head[index + 1].startsWith(name));
        return (
          <td>
            {brief(cell, 200)}
            {drawn && <Interval {...run.intervals[DRAWN[drawn]]} />}
          </td>
        );
      })}
    </tr>
  );
}

// A share from 0 to 1 with its interval; the numbers stand beside it.
function Interval({ value, low, high }) {
  const x = scaleLinear([0, 1], [2, 98]);
  return (
    <svg class="interval" viewBox="0 0 100 10" width="100" height="10" aria-hidden="true">
      <path d="M2 5H98" class="rule" />
      {low !== null && high !== null && <path d={`M${x(low)} 5H${x(high)}`} class="range" />}
      {value !== null && <circle cx={x(value)} cy="5" r="3" />}
    </svg>
  );
}
