// Addresses within the page: everything that can be looked at has one, after the #.

// `#/run/<run>/<question>/<group>/<path>?block=2`; undefined values of the query are left out.
export function link(parts, query = {}) {
  const told = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${told.size ? `?${told}` : ""}`;
}

// The parts and the query of an address; null where it cannot be read.
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  try {
    const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
    return { parts, query: Object.fromEntries(new URLSearchParams(query)) };
  } catch {
    return null;
  }
}

// Go to an address; `replace` leaves no step back, as for filters.
export function go(to, replace = false) {
  if (!replace) {
    location.hash = to;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
