// How the task frame talks to the page around it. The frame has no origin and no access; it only posts messages,
// each with the nonce that the page put behind the frame's address.

export type FrameMessage =
  | { type: "submit"; answer: Record<string, unknown>; next: boolean }
  | { type: "blocked"; address: string }
  | { type: "missing"; address: string }
  | { type: "unsupported"; element: string }
  | { type: "broken"; message: string }
  | { type: "ready"; instructions: boolean }
  | { type: "draft"; draft: Draft }
  | { type: "key"; key: string };

export type PageMessage =
  | { type: "accepted" }
  | { type: "refused"; message: string }
  | { type: "restore"; draft: Draft }
  | { type: "submit"; next: boolean }
  | { type: "instructions" };

/** The page's keys that work inside the frame too; digits stay with the elements. */
export const PAGE_KEYS: ReadonlySet<string> = new Set("npudcfa?");

/** The state of a form's fields, by a key for each; only the elements that wrote it can read it. */
export type Draft = Record<string, unknown>;

export type Enveloped<Message> = Message & { overread: string };

const NONCE = location.hash.slice(1);

/** Post to the page around the frame; only the portal itself can be that (frame-ancestors). Without one, to this page. */
export function tellPage(message: FrameMessage): void {
  if (window.parent !== window) window.parent.postMessage({ ...message, overread: NONCE }, "*");
  else document.dispatchEvent(new CustomEvent("overread-message", { detail: message }));
}

/** Hear what the page answers. */
export function hearPage(listener: (message: PageMessage) => void): void {
  window.addEventListener("message", (event: MessageEvent<Enveloped<PageMessage> | null>) => {
    const message = event.data;
    if (event.source === window.parent && message?.overread === NONCE) listener(message);
  });
}

const BLOCKED_FIRST_MS = 200;

/** Tell the page about everything that the frame's policy kept out, and about media that could not be loaded. */
export function reportUnloaded(): void {
  const told = new Set<string>();
  document.addEventListener("securitypolicyviolation", (event) => {
    const address = event.blockedURI || event.violatedDirective;
    if (told.has(address)) return;
    told.add(address);
    tellPage({ type: "blocked", address });
  });
  const failed = (event: Event) => {
    const element = event.target;
    if (!(element instanceof HTMLImageElement || element instanceof HTMLMediaElement || element instanceof HTMLSourceElement)) return;
    const address = ("currentSrc" in element && element.currentSrc) || element.src;
    if (address === "" || address.startsWith("data:")) return;
    // What was blocked fails too, and is told as that.
    setTimeout(() => {
      if (told.has(address)) return;
      told.add(address);
      tellPage({ type: "missing", address });
    }, BLOCKED_FIRST_MS);
  };
  document.addEventListener("error", failed, { capture: true }); // these events do not bubble
}
