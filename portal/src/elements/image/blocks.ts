// Textract's blocks as pairs of key and value that a reviewer can change, and back into blocks.
import { asRecords } from "./shapes";

export type Block = Record<string, unknown>;

/** A box in shares of the page, as Textract gives it. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Side = "key" | "value";

export interface Part {
  /** Empty while there is no block. */
  readonly id: string;
  readonly text: string;
  readonly box: Box | null;
}

export interface Pair {
  readonly number: number;
  readonly key: Part;
  readonly value: Part;
}

const NOTHING: Part = { id: "", text: "", box: null };

/** Every pair of a list of blocks, in its order. */
export function pairsOf(blocks: readonly Block[]): Pair[] {
  const known = byId(blocks);
  return blocks.filter(isKey).map((block, index) => {
    const value = related(block, "VALUE").map((id) => known.get(id)).find((found) => found !== undefined);
    return { number: index + 1, key: part(block, known), value: value ? part(value, known) : NOTHING };
  });
}

export function emptyPair(number: number, key = ""): Pair {
  return { number, key: { ...NOTHING, text: key }, value: NOTHING };
}

/**
 * The blocks after a review: those of unchanged pairs as they came; a changed text becomes one WORD of its own; removed
 * pairs and the words that only they had are left out; new ones come last.
 */
export function blocksOf(blocks: readonly Block[], before: readonly Pair[], after: readonly Pair[]): Block[] {
  const kept = new Map(after.flatMap(({ key, value }) => [key, value]).filter(({ id }) => id !== "").map((one) => [one.id, one]));
  const old = new Map(before.flatMap(({ key, value }) => [key, value]).filter(({ id }) => id !== "").map((one) => [one.id, one]));
  const gone = new Set(Array.from(old.keys()).filter((id) => !kept.has(id)));
  const words: Block[] = [];
  const changed = blocks
    .filter((block) => !gone.has(idOf(block)))
    .map((block) => {
      const [now, then] = [kept.get(idOf(block)), old.get(idOf(block))];
      if (!now || !then) return block;
      const placed = now.box === then.box ? block : { ...block, geometry: geometry(now.box) };
      return now.text === then.text ? placed : reworded(placed, now, words);
    });
  const result = [...changed, ...words, ...after.flatMap((pair) => created(pair, changed))];
  return withoutOrphans(withNewValues(result, after), blocks);
}

function created(pair: Pair, existing: readonly Block[]): Block[] {
  const made: Block[] = [];
  for (const side of ["key", "value"] as const) {
    const one = pair[side];
    if (one.id !== "" || (one.text === "" && one.box === null)) continue;
    const id = newId(pair, side, existing);
    const children = one.text === "" ? [] : [{ ids: [`${id}-text`], type: "CHILD" }];
    const isLinked = side === "key" && (pair.value.id !== "" || pair.value.text !== "" || pair.value.box !== null);
    const link = isLinked ? [{ ids: [pair.value.id || newId(pair, "value", existing)], type: "VALUE" }] : [];
    const entityTypes = [side === "key" ? "KEY" : "VALUE"];
    const relationships = [...link, ...children];
    made.push({ blockType: "KEY_VALUE_SET", confidence: 100, entityTypes, geometry: geometry(one.box), id, relationships });
    if (one.text !== "") made.push(word(`${id}-text`, one));
  }
  return made;
}

/** Keys whose value was made in the review point to it. */
function withNewValues(blocks: readonly Block[], pairs: readonly Pair[]): Block[] {
  const made = new Map(
    pairs
      .filter(({ key, value }) => key.id !== "" && value.id === "" && (value.text !== "" || value.box !== null))
      .map((pair) => [pair.key.id, newId(pair, "value", blocks)]),
  );
  return blocks.map((block) => {
    const value = made.get(idOf(block));
    if (value === undefined) return block;
    const others = asRecords(block["relationships"]).filter((relation) => relation["type"] !== "VALUE");
    return { ...block, relationships: [{ ids: [value], type: "VALUE" }, ...others] };
  });
}

/** Without words that some pair had and none has any more. */
function withoutOrphans(blocks: readonly Block[], before: readonly Block[]): Block[] {
  const used = (all: readonly Block[]): Set<string> => new Set(all.flatMap((block) => related(block, "CHILD")));
  const [then, now] = [used(before), used(blocks)];
  return blocks.filter((block) => !then.has(idOf(block)) || now.has(idOf(block)));
}

function reworded(block: Block, now: Part, words: Block[]): Block {
  const others = asRecords(block["relationships"]).filter((relation) => relation["type"] !== "CHILD");
  if (now.text === "") return { ...block, relationships: others };
  const id = `${now.id}-text`;
  words.push(word(id, now));
  return { ...block, confidence: 100, relationships: [...others, { ids: [id], type: "CHILD" }] };
}

function word(id: string, { text, box }: Part): Block {
  return { blockType: "WORD", confidence: 100, geometry: geometry(box), id, text };
}

function newId(pair: Pair, side: Side, existing: readonly Block[]): string {
  const taken = new Set(existing.map(idOf));
  let id = `review-${pair.number}-${side}`;
  while (taken.has(id)) id = `${id}-new`;
  return id;
}

function geometry(box: Box | null): Block {
  if (box === null) return {};
  const { left, top, width, height } = box;
  const polygon = [
    { x: left, y: top },
    { x: left + width, y: top },
    { x: left + width, y: top + height },
    { x: left, y: top + height },
  ];
  return { boundingBox: { height, left, top, width }, polygon };
}

function part(block: Block, known: ReadonlyMap<string, Block>): Part {
  const words = related(block, "CHILD").map((id) => known.get(id));
  const text = words.map((found) => found && wordText(found)).filter((one) => one !== undefined && one !== "").join(" ");
  return { id: idOf(block), text, box: boxOf(block) };
}

/** A word's text; a tick in a form is a word too. */
function wordText(block: Block): string {
  if (block["blockType"] === "SELECTION_ELEMENT") return block["selectionStatus"] === "SELECTED" ? "☑" : "☐";
  return typeof block["text"] === "string" ? block["text"] : "";
}

function boxOf(block: Block): Box | null {
  const { boundingBox } = (block["geometry"] ?? {}) as { boundingBox?: Record<string, unknown> };
  if (!boundingBox) return null;
  const [left, top, width, height] = [boundingBox["left"], boundingBox["top"], boundingBox["width"], boundingBox["height"]].map(Number);
  const box = { left: left ?? NaN, top: top ?? NaN, width: width ?? NaN, height: height ?? NaN };
  return Object.values(box).every(Number.isFinite) ? box : null;
}

function isKey(block: Block): boolean {
  const types = block["entityTypes"];
  return block["blockType"] === "KEY_VALUE_SET" && Array.isArray(types) && types.includes("KEY");
}

function related(block: Block, type: string): string[] {
  const relations = asRecords(block["relationships"]).filter((relation) => relation["type"] === type);
  return relations.flatMap((relation) => (Array.isArray(relation["ids"]) ? relation["ids"].map(String) : []));
}

function byId(blocks: readonly Block[]): Map<string, Block> {
  return new Map(blocks.map((block) => [idOf(block), block]));
}

function idOf(block: Block): string {
  return String(block["id"] ?? "");
}

/** Keys of Textract's own spelling (`BlockType`) become those that the element documents (`blockType`). */
export function lowerCamel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerCamel);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.slice(0, 1).toLowerCase() + key.slice(1), lowerCamel(item)]));
}
