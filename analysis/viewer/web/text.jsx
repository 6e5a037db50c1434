// Text that models wrote. It is hostile: it only ever becomes text nodes, or a formula that KaTeX builds from nodes.

import katex from "katex";
import { useLayoutEffect, useRef } from "preact/hooks";

// Marks that change how text reads without being seen: of direction, of no width, and control characters.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;
const LONGEST = 2000; // characters of a formula
const MOST = 2000; // formulas of one text
const OPENING = /\$\$|\$|\\\(|\\\[|\\boxed\s*\{/g;
const CLOSING = { $$: "$$", "\\(": "\\)", "\\[": "\\]" };
const KATEX = { throwOnError: true, strict: "error", trust: false, maxSize: 10, maxExpand: 200, output: "htmlAndMathml" };

const code = (mark) => `U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

// Text for attributes and pictures, its unseen marks written out.
export const plain = (text) => String(text ?? "").replace(UNSEEN, (mark) => `⟨${code(mark)}⟩`);

// The same, cut to so many characters.
export function brief(text, most = 80) {
  const whole = plain(text);
  return whole.length > most ? `${whole.slice(0, most - 1)}…` : whole;
}

// Text as nodes, its unseen marks shown as such.
export function Marked({ text }) {
  const shown = [];
  let from = 0;
  for (const { 0: mark, index } of text.matchAll(UNSEEN)) {
    shown.push(text.slice(from, index), <span class="unseen">{code(mark)}</span>);
    from = index + mark.length;
  }
  return [...shown, text.slice(from)];
}

// The text of a segment, with its formulas set if `math`.
export function Prose({ text, math }) {
  const inner = text.replace(/^\n+/, "").trimEnd();
  const parts = math ? pieces(inner) : [inner];
  return (
    <div class="prose">
      {parts.map((part) => (typeof part === "string" ? <Marked text={part} /> : <Formula {...part} />))}
    </div>
  );
}

function Formula({ tex, source, display }) {
  const place = useRef(null);
  useLayoutEffect(() => {
    try {
      katex.render(tex, place.current, { ...KATEX, displayMode: display });
    } catch {
      place.current.textContent = source;
    }
  }, [tex, source, display]);
  return <span class={display ? "formula display" : "formula"} ref={place} />;
}

// The text in order: strings, and formulas as { tex, source, display }.
export function pieces(text) {
  const found = [];
  let from = 0;
  let at = 0;
  for (let count = 0; count < MOST; ) {
    OPENING.lastIndex = at;
    const opening = OPENING.exec(text);
    if (!opening) break;
    const formula = closed(text, opening[0], opening.index);
    at = formula ? formula.end : OPENING.lastIndex;
    if (!formula) continue;
    const { tex, display, end } = formula;
    found.push(text.slice(from, opening.index), { tex, display, source: text.slice(opening.index, end) });
    from = end;
    count += 1;
  }
  return [...found, text.slice(from)].filter((part) => part !== "");
}

// The formula that opens here: its inside, whether it stands by itself, where it ends; null where it is none.
function closed(text, opening, start) {
  const inside = start + opening.length;
  const near = text.slice(inside, inside + LONGEST);
  if (opening.startsWith("\\boxed")) {
    const length = braced(near);
    return length && formula(`\\boxed{${near.slice(0, length)}}`, false, inside + length + 1);
  }
  if (opening === "$") {
    const match = /^(?=[^\s$])[^$\n]*[^\s\\$](?=\$(?!\d))|^[^\s$\\](?=\$(?!\d))/.exec(near);
    return match && formula(match[0], false, inside + match[0].length + 1);
  }
  const length = near.indexOf(CLOSING[opening]);
  const display = opening !== "\\(";
  return length > 0 ? formula(near.slice(0, length), display, inside + length + CLOSING[opening].length) : null;
}

function formula(tex, display, end) {
  return tex.trim() && tex.search(UNSEEN) < 0 ? { tex, display, end } : null;
}

// How many characters there are before the brace that closes; 0 where none does.
function braced(near) {
  let depth = 1;
  for (let index = 0; index < near.length; index += 1) {
    if (near[index] === "\\") index += 1;
    else if (near[index] === "{") depth += 1;
    else if (near[index] === "}" && --depth === 0) return index;
  }
  return 0;
}
