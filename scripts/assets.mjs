// Puts together what the server embeds and the browser loads: node scripts/assets.mjs CLIENT_DIR SITE_DIR [--dev]
// CLIENT_DIR holds what wasm-bindgen and wasm-opt made. With --dev nothing is minified and nothing compressed.
import { build, transform } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const [client, site, mode] = process.argv.slice(2);
const release = mode !== "--dev";
const pkg = join(site, "pkg");

// What was removed from public/ must leave the site too: begin empty.
await rm(site, { recursive: true, force: true });
await mkdir(pkg, { recursive: true });
await cp("public", site, { recursive: true });
await cp(client, pkg, { recursive: true });

const files = async (extensions) =>
  (await readdir(site, { recursive: true })).filter((name) => extensions.includes(extname(name))).map((name) => join(site, name));

if (release) {
  for (const file of (await files([".js"])).filter((name) => name.startsWith(pkg))) {
    const { code } = await transform(await readFile(file, "utf8"), { minify: true, format: "esm", target: "esnext" });
    await writeFile(file, code);
  }
}

// Fonts and pictures come from public/ under their address, not through the bundler. As a plugin, because the option
// `external` also compares resolved file names, all of which begin with a slash.
const addressesStay = {
  name: "addresses-stay",
  setup: ({ onResolve }) => onResolve({ filter: /^\// }, ({ path, kind }) => (kind === "url-token" ? { path, external: true } : undefined)),
};

await build({
  entryPoints: { scrip: "style/main.css", still: "style/still.css" },
  outdir: pkg,
  bundle: true,
  minify: release,
  plugins: [addressesStay],
  logLevel: "warning",
});

if (release) {
  const brotli = promisify(brotliCompress);
  const loadedFirst = { "scrip_bg.wasm": 0, "scrip.js": 0, "scrip.css": 0, "bell.js": 0 };
  await Promise.all(
    (await files([".wasm", ".js", ".css", ".svg"])).map(async (file) => {
      const plain = await readFile(file);
      const packed = await brotli(plain, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
      });
      await writeFile(`${file}.br`, packed);
      const name = basename(file);
      if (name in loadedFirst) loadedFirst[name] = packed.length;
    }),
  );
  const total = Object.values(loadedFirst).reduce((sum, bytes) => sum + bytes, 0);
  const parts = Object.entries(loadedFirst).map(([name, bytes]) => `${name} ${bytes}`);
  console.log(`first load with brotli: ${total} bytes (${parts.join(", ")})`);
}
