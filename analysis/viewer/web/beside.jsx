// One question in two runs: both groups, one beside the other.

import { useDocument } from "./data.js";
import { find, Page, Wait } from "./frame.jsx";
import { Asked, Legend, Question } from "./group.jsx";
import { Lanes } from "./lanes.jsx";
import { go, link } from "./routes.js";
import { brief, Marked } from "./text.jsx";

export function Beside({ runs, question, numbers, live, parts }) {
  const sides = runs.map((run, index) => useSide(run, question, Number(numbers[index] ?? 0), live));
  const waiting = sides.find(({ error, document, missing }) => error || (!document && !missing));
  if (waiting) return <Wait title={question} error={waiting.error} />;
  const prompt = sides.find(({ group }) => group)?.group.paths[0].segments.find(([kind]) => kind === "prompt")?.[2] ?? "";
  const change = (index, number) => {
    const next = [...numbers];
    next[index] = number;
    go(link([...parts.slice(0, 4), ...next]), true);
  };
  return (
    <Page title={`${question} in two runs`}>
      <section class="asked" aria-label="Question">
        <Question prompt={prompt} />
      </section>
      <div class="sides">
        {sides.map((side, index) => <Side {...side} run={runs[index]} choose={(number) => change(index, number)} />)}
      </div>
      {sides.find(({ group }) => group) && <Legend group={sides.findLast(({ group }) => group).group} />}
    </Page>
  );
}

function useSide(run, question, number, live) {
  const state = live.runs[run.key] ?? run;
  const grid = useDocument(run.file, `${state.version} ${state.status}`);
  const place = find(grid.value, question);
  const found = useDocument(place?.file, place?.version);
  const missing = grid.value && !place;
  const group = found.value?.groups.find((each) => each.group === number) ?? found.value?.groups[0];
  return { error: grid.error ?? found.error, missing, document: found.value, group };
}

function Side({ run, document, group, choose }) {
  const name = run.name ?? run.key;
  return (
    <section class="side" aria-label={brief(name)}>
      <h2>{group ? <a href={link(["run", run.key, group.question_id, group.group])}><Marked text={name} /></a> : <Marked text={name} />}</h2>
      {!group && <p>This run has no group of this question.</p>}
      {document && document.groups.length > 1 && (
        <label>
          Group{" "}
          <select value={group.group} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            {document.groups.map((each) => <option value={each.group}>{each.group}</option>)}
          </select>
        </label>
      )}
      {group && <><Asked group={group} only /><Lanes group={group} run={run} name={brief(name)} /></>}
    </section>
  );
}
