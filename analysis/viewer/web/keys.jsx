// The keyboard: everything that the mouse can do has a key, or is reached by Tab.

import { useEffect, useRef } from "preact/hooks";
import { go, link } from "./routes.js";

const KEYS = {
  j: "next group or path",
  k: "previous group or path",
  u: "up: from a path to its group, to its run, to all runs",
  "/": "find a question",
  "+ −": "zoom the lanes",
  "1 … 9": "messages of that block alone; 0: of all",
  t: "theme",
  "?": "these keys",
};
const CLICKED = { j: "next", k: "previous", "+": "more", "=": "more", "-": "less" };

export function useKeys({ parts, turn, help }) {
  useEffect(() => {
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      if (CLICKED[event.key]) document.getElementById(CLICKED[event.key])?.click();
      else if (event.key === "u") go(link(parts.length > 4 ? parts.slice(0, 4) : parts.length > 2 ? ["run", parts[1]] : []));
      else if (event.key === "t") turn();
      else if (event.key === "?") help();
      else if (event.key === "/" && document.getElementById("find")) document.getElementById("find").focus();
      else if (/^\d$/.test(event.key)) choose(Number(event.key));
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

function choose(number) {
  const blocks = document.getElementById("block");
  if (!blocks || number >= blocks.options.length) return;
  blocks.selectedIndex = number;
  blocks.dispatchEvent(new Event("change", { bubbles: true }));
}

export function Help({ close }) {
  const box = useRef(null);
  useEffect(() => box.current.showModal(), []);
  return (
    <dialog ref={box} onClose={close} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="settings">{Object.entries(KEYS).map(([key, words]) => <div><dt><kbd>{key}</kbd></dt><dd>{words}</dd></div>)}</dl>
      <form method="dialog"><button type="submit">Close</button></form>
    </dialog>
  );
}
