// Which page to show, the line above it, and the keys.

import "./viewer.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Beside } from "./beside.jsx";
import { Cell } from "./cell.jsx";
import { isLive, useDocument, useLive } from "./data.js";
import { find, Page, Wait } from "./frame.jsx";
import { Group } from "./group.jsx";
import { Help, useKeys } from "./keys.jsx";
import { Path } from "./path.jsx";
import { link, parse } from "./routes.js";
import { Sweep } from "./sweep.jsx";
import { brief, Marked } from "./text.jsx";
import { useTheme } from "./theme.js";

function App() {
  const [hash, setHash] = useState(location.hash);
  const [theme, turn] = useTheme();
  const [help, setHelp] = useState(false);
  const live = useLive();
  const table = useDocument("sweep", isLive ? Object.keys(live.runs).length : 0);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const address = parse(hash);
  useKeys({ parts: address?.parts ?? [], turn, help: () => setHelp((shown) => !shown) });
  const runs = (table.value?.runs ?? []).map((run) => ({ ...run, name: table.value.rows[run.key]?.name }));
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector("h1")?.focus(); }}>Skip to the page</a>
      <header class="top">
        <Trail parts={address?.parts ?? []} runs={runs} />
        <span class="tools">
          {live.lost && <span role="alert">The server does not answer.</span>}
          <button type="button" id="theme" onClick={turn} aria-label={`Theme: ${theme}`} title="t">{theme}</button>
          <button type="button" id="keys" onClick={() => setHelp(true)} title="?">keys</button>
        </span>
      </header>
      <p class="unsighted" role="status">{news(live)}</p>
      {address ? <Shown {...{ ...address, table, runs, live }} /> : <Nowhere />}
      {help && <Help close={() => setHelp(false)} />}
    </>
  );
}

// What a screen reader is told while runs are written.
function news({ runs }) {
  const running = Object.values(runs).filter(({ status }) => status === "running");
  return running.map(({ groups, asked }) => `running: ${groups}${asked ? ` of ${asked}` : ""} groups`).join("; ");
}

function Trail({ parts, runs }) {
  const [page, key, question, number, path] = parts;
  const name = runs.find((run) => run.key === key)?.name ?? key;
  const steps = [["runs", []]];
  if (page === "run" && key) steps.push([name, ["run", key]]);
  if (page === "run" && question !== undefined) steps.push([question, ["run", key, question, number ?? 0]]);
  if (page === "run" && path !== undefined) steps.push([`path ${path}`, parts]);
  if (page === "beside") steps.push(["two runs", parts]);
  return (
    <nav aria-label="Where you are">
      <ol class="trail">
        {steps.map(([words, to], index) => (
          <li><a href={link(to)} aria-current={index === steps.length - 1 ? "page" : undefined}><Marked text={brief(words, 50)} /></a></li>
        ))}
      </ol>
    </nav>
  );
}

function Shown({ parts, query, table, runs, live }) {
  const [page, ...rest] = parts;
  if (page === undefined) return <Sweep live={live} query={query} />;
  if (!table.value) return <Wait title="Runs" {...table} />;
  const named = (key) => runs.find((run) => run.key === key);
  if (page === "beside" && rest.length >= 3 && named(rest[0]) && named(rest[1])) {
    return <Beside runs={[named(rest[0]), named(rest[1])]} question={rest[2]} numbers={rest.slice(3)} {...{ live, parts }} />;
  }
  const run = page === "run" && named(rest[0]);
  if (!run) return <Nowhere />;
  if (rest.length === 1) return <Cell run={run} name={run.name ?? run.key} {...{ query, live }} />;
  return <Inside {...{ run, runs, rest, query, live }} />;
}

// A group or a path: by way of the run's grid to the question's document.
function Inside({ run, runs, rest, query, live }) {
  const [, question, number = "0", lane] = rest;
  const state = live.runs[run.key] ?? run;
  const grid = useDocument(run.file, `${state.version} ${state.status}`);
  const place = find(grid.value, question);
  const found = useDocument(place?.file, place?.version);
  if (grid.value && !place) return <Nowhere />;
  if (!found.value) return <Wait title={question} error={grid.error ?? found.error} />;
  const group = found.value.groups.find((each) => each.group === Number(number));
  const path = group?.paths.find((each) => each.path === Number(lane));
  if (!group || (lane !== undefined && !path)) return <Nowhere />;
  if (path) return <Path key={`${number} ${lane}`} {...{ run, group, path, query }} />;
  return <Group {...{ run, runs, group, query }} grid={grid.value} document={found.value} />;
}

function Nowhere() {
  return <Page title="Nothing here"><p>There is no such page. <a href={link([])}>All runs</a></p></Page>;
}

render(<App />, document.getElementById("app"));
