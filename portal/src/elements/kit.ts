// What every element is made of; families that are loaded on demand take it from the page instead of bringing it again.
export { css, html, nothing, svg, type PropertyDeclarations, type SVGTemplateResult, type TemplateResult } from "lit";
export { repeat } from "lit/directives/repeat.js";
export { isPlainKey, isTyping } from "../frame/typing";
export { type Answer, type AnswerSource } from "./answer";
export { flagAttribute, jsonAttribute, listAttribute, textAttribute } from "./attributes";
export { CrowdElement, look, ownsDigits, region, shortcutKey, slotRegions } from "./base";
export { dialog, dialogLook } from "./dialog";
