// Builds one of two things into src/overread_review/static, by --mode: `portal` is the reviewer's page (a module),
// `elements` are the Crowd HTML Elements (a classic script, because the task frame has no origin to load modules from).
import { defineConfig } from "vite";

const OUTPUT = "../src/overread_review/static";

export default defineConfig(({ mode }) => {
  const elements = mode === "elements";
  return {
    root: import.meta.dirname,
    publicDir: elements ? false : "public",
    logLevel: "warn",
    build: {
      outDir: OUTPUT,
      emptyOutDir: !elements,
      target: "es2022",
      minify: true,
      lib: elements
        ? {
            entry: "src/elements/index.ts",
            formats: ["iife"],
            name: "overreadElements",
            fileName: () => "crowd-html-elements.js",
          }
        : { entry: "src/app/main.ts", formats: ["es"], fileName: () => "portal.js", cssFileName: "portal" },
    },
  };
});
