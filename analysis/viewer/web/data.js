// Documents by name: JSON from the server or, where the pages are a folder of files, scripts that hand themselves over.

import { useEffect, useState } from "preact/hooks";

const asScripts = document.querySelector('meta[name="documents"]')?.content === "scripts";
const LOST_S = 2; // until a server that did not answer is asked again
const handed = new Map();

globalThis.leapLabDocument = (name, value) => handed.set(name, value);

export const isLive = !asScripts;

async function load(name) {
  if (asScripts) return loadScript(name);
  const answer = await fetch(`data/${name}.json`);
  if (!answer.ok) throw new Error((await answer.text()).trim().slice(0, 400));
  return answer.json();
}

function loadScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    script.onload = () => {
      script.remove();
      const value = handed.get(name);
      handed.delete(name);
      value === undefined ? reject(new Error("empty")) : resolve(value);
    };
    script.onerror = () => reject(new Error(`data/${name}.js is missing beside this page`));
    document.head.append(script);
  });
}

// A document, loaded when its name or version changes; the one before stays until the new one is there.
export function useDocument(name, version) {
  const [found, setFound] = useState({});
  useEffect(() => {
    if (!name) return undefined;
    let current = true;
    load(name).then(
      (value) => current && setFound({ name, value }),
      (error) => current && setFound((before) => ({ ...before, name, error: String(error.message ?? error) })),
    );
    return () => {
      current = false;
    };
  }, [name, version]);
  return found.name === name ? found : {};
}

// What changes while runs are written, by run; asked for as long as somebody looks.
export function useLive() {
  const [state, setState] = useState({ runs: {}, lost: false });
  useEffect(() => {
    if (!isLive) return undefined;
    let timer;
    const again = (seconds) => {
      clearTimeout(timer);
      timer = setTimeout(ask, 1000 * seconds);
    };
    const ask = async () => {
      clearTimeout(timer);
      if (document.hidden) return;
      try {
        const { runs, every_s } = await load("state");
        setState((before) => (same(before, runs) ? before : { runs, lost: false }));
        again(every_s);
      } catch {
        setState((before) => (before.lost ? before : { ...before, lost: true }));
        again(LOST_S);
      }
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
  return state;
}

function same(before, runs) {
  return !before.lost && JSON.stringify(before.runs) === JSON.stringify(runs);
}
