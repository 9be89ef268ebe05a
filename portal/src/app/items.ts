// Moving through a list with j and k or the arrow keys.
import type { Shortcut } from "./view";

/** Keys that move the focus among the elements with `data-item` inside `host`. */
export function listShortcuts(host: Element): Shortcut[] {
  const move = (step: number) => {
    const items = Array.from(host.querySelectorAll<HTMLElement>("[data-item]"));
    const at = items.findIndex((item) => item.contains(document.activeElement));
    const next = items[Math.min(items.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  return [
    { keys: ["j", "ArrowDown"], label: "Next line", run: () => move(1) },
    { keys: ["k", "ArrowUp"], label: "Line before", run: () => move(-1) },
  ];
}
