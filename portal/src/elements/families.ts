// Elements that few pages need: each family is a script of its own, loaded when one of its tags is found.

const FAMILIES: Record<string, readonly string[]> = {
  "crowd-entity-annotation.js": ["crowd-entity-annotation"],
  "crowd-image-tools.js": [
    "crowd-bounding-box",
    "crowd-polygon",
    "crowd-polyline",
    "crowd-line",
    "crowd-keypoint",
    "crowd-semantic-segmentation",
    "crowd-instance-segmentation",
    "crowd-textract-analyze-document",
  ],
};
const SCRIPT_OF = new Map(Object.entries(FAMILIES).flatMap(([script, tags]) => tags.map((tag) => [tag, script] as const)));
const HERE = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";
const loading = new Map<string, Promise<void>>();

/** Whether a tag is one of a family's. */
export function isOfFamily(tag: string): boolean {
  return SCRIPT_OF.has(tag);
}

/** Fetch what the elements under `root` need; settled once all of it has run, or could not be loaded. */
export async function loadFamilies(root: ParentNode): Promise<void> {
  for (const element of root.querySelectorAll(":not(:defined)")) {
    const script = SCRIPT_OF.get(element.localName);
    if (script !== undefined && !loading.has(script)) loading.set(script, load(script));
  }
  await Promise.all(loading.values());
}

function load(name: string): Promise<void> {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = new URL(name, HERE).href;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => resolve()); // its elements are then named as missing
    document.head.append(script);
  });
}
