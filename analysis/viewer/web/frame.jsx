// What every page has: a heading, where one is, and how a run stands.

import { useEffect, useRef } from "preact/hooks";
import { Marked, plain } from "./text.jsx";

// A page with its heading, which gets the focus when one comes from another page.
export function Page({ title, children }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${plain(title)} · leap_lab`;
    if (Page.last !== undefined && Page.last !== title) heading.current.focus({ preventScroll: true });
    Page.last = title;
  }, [title]);
  return (
    <main id="main">
      <h1 ref={heading} tabIndex={-1}><Marked text={title} /></h1>
      {children}
    </main>
  );
}

// Before a document is there, or where it cannot be had.
export function Wait({ title, error }) {
  return (
    <Page title={title}>
      {error ? <p role="alert">Cannot be loaded: <Marked text={error} /></p> : <p aria-busy="true">Loading …</p>}
    </Page>
  );
}

// How far a run is and how fast it goes; `short`: the speed only while it runs.
export function Progress({ status, groups, asked, rate, short = false }) {
  const running = status === "running";
  return (
    <span class={running ? "progress running" : "progress"}>
      {running && <span class="pulse" aria-hidden="true" />}
      <Marked text={status} /> <span class="count">{groups}{asked ? ` of ${asked}` : ""} groups</span>
      {rate && (running || !short) ? <span class="rate">{Math.round(rate).toLocaleString("en")} tokens/s</span> : null}
    </span>
  );
}

const SIGNS = { right: "✓", wrong: "✗", recovered: "▲", harmed: "▼", changed: "◆", forced: "F", unknown: "–" };

// A sign and, for those who do not see it, its word; `word` also shows it.
export function Sign({ of, word = false, count }) {
  return (
    <span class={`sign ${of}`} title={of}>
      <span aria-hidden="true">{SIGNS[of]}</span>
      {count !== undefined && <span>{count}</span>}
      <span class={word ? "word" : "unsighted"}>{of}</span>
    </span>
  );
}

export const verdict = (correct) => (correct === undefined || correct === null ? "unknown" : correct ? "right" : "wrong");

// A run of a question, once the documents on the way to it are there.
export function find(grid, question) {
  return grid?.questions.find(({ id }) => id === question);
}
