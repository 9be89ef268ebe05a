// Builds into src/overread_review/static, by --mode: `portal` is the reviewer's page (a module), `elements` the Crowd
// HTML Elements, every other mode one family of them. Those are classic scripts: the task frame has no origin to load
// modules from.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const OUTPUT = "../src/overread_review/static";
const KIT = "overread-kit";
const FAMILIES: Record<string, string> = { entities: "crowd-entity-annotation.js", image: "crowd-image-tools.js" };

export default defineConfig(({ mode }) => {
  const family = FAMILIES[mode];
  const script = (entry: string, fileName: string) =>
    ({ entry, formats: ["iife" as const], name: "overreadElements", fileName: () => fileName });
  return {
    root: import.meta.dirname,
    publicDir: mode === "portal" ? "public" : false,
    logLevel: "warn" as const,
    resolve: family ? {} : { alias: { [KIT]: fileURLToPath(new URL("src/elements/kit.ts", import.meta.url)) } },
    build: {
      outDir: OUTPUT,
      emptyOutDir: mode === "portal",
      target: "es2022",
      minify: true,
      rollupOptions: family ? { external: [KIT], output: { globals: { [KIT]: "overreadKit" } } } : {},
      lib: family
        ? script(`src/elements/${mode}/index.ts`, family)
        : mode === "elements"
          ? script("src/elements/index.ts", "crowd-html-elements.js")
          : { entry: "src/app/main.ts", formats: ["es" as const], fileName: () => "portal.js", cssFileName: "portal" },
    },
  };
});
