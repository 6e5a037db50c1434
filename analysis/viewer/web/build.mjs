// Builds ../built from this folder: `node build.mjs node_modules`. `make viewer` does it in a folder of its own.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, "..", "built");
const modules = resolve(process.argv[2] ?? join(here, "node_modules"));
const { build } = createRequire(join(modules, "_"))("esbuild");

// KaTeX names each font in three formats; every browser that runs this page reads the first.
const oneFormat = {
  name: "one-format",
  setup({ onLoad }) {
    onLoad({ filter: /katex\.min\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[^"]*"\)/g, ""),
      loader: "css",
    }));
  },
};

rmSync(built, { recursive: true, force: true });
mkdirSync(built, { recursive: true });
const { metafile } = await build({
  entryPoints: { viewer: join(here, "main.jsx") },
  outdir: built,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome123", "firefox121", "safari17.5"],
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  assetNames: "fonts/[name]",
  loader: { ".woff2": "file" },
  nodePaths: [modules],
  plugins: [oneFormat],
  metafile: true,
});
for (const name of ["index.html", "icon.svg"]) copyFileSync(join(here, name), join(built, name));
writeFileSync(join(built, "LICENSES.txt"), licences(Object.keys(metafile.inputs)));
writeFileSync(join(built, "sources.txt"), sources());

// The licence of every package that is in the bundle.
function licences(inputs) {
  const packages = [...new Set(inputs.map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]).filter(Boolean))].sort();
  const told = packages.map((name) => {
    const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((each) => join(modules, name, each)).find(existsSync);
    return `${name} ${about.version} (${about.license})\n\n${readFileSync(file, "utf8").trim()}\n`;
  });
  return ["viewer.js, viewer.css and fonts/ contain these packages.\n", ...told].join("\n----\n\n");
}

// A hash of every source, by which a test tells whether this was built from them.
function sources() {
  const files = readdirSync(here).filter((name) => /\.(jsx?|css|html|svg|mjs|json)$/.test(name)).sort();
  return files.map((name) => `${createHash("sha256").update(readFileSync(join(here, name))).digest("hex")}  ${name}\n`).join("");
}
