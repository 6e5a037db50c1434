// Light or dark: as the system says, or as chosen here.

import { useLayoutEffect, useState } from "preact/hooks";

const ALL = ["auto", "light", "dark"];
const KEY = "leap_lab theme";

export function useTheme() {
  const [theme, setTheme] = useState(remembered);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Pages opened from disk may not be allowed to.
    }
  }, [theme]);
  return [theme, () => setTheme((now) => ALL[(ALL.indexOf(now) + 1) % ALL.length])];
}

function remembered() {
  try {
    const found = localStorage.getItem(KEY);
    return ALL.includes(found) ? found : "auto";
  } catch {
    return "auto";
  }
}
