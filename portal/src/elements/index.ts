// The Crowd HTML Elements as one classic script; loading it twice does nothing.
import { reportUnloaded, tellPage } from "../frame/channel";
import { CrowdCheckbox, CrowdRadioButton, CrowdRadioGroup, CrowdToggleButton } from "./choices";
import {
  CrowdClassifier,
  CrowdClassifierMultiSelect,
  CrowdImageClassifier,
  CrowdImageClassifierMultiSelect,
} from "./classifier";
import { joinPage } from "./desk";
import { loadFamilies } from "./families";
import { completeForm, CrowdForm } from "./form";
import * as kit from "./kit";
import { CrowdButton, CrowdCard, CrowdInstructions, CrowdTab, CrowdTabs } from "./layout";
import { CrowdRekognitionDetectModerationLabels } from "./moderation";
import { CrowdAlert, CrowdBadge, CrowdFab, CrowdIconButton, CrowdModal, CrowdToast } from "./notes";
import { CrowdSlider, CrowdSliderLabel } from "./slider";
import { furnish, SandboxMessage } from "./sandbox";
import { CrowdInput, CrowdTextArea } from "./texts";
import { MissingElement, nameUnknown } from "./unknown";

const ELEMENTS: Record<string, CustomElementConstructor> = {
  "crowd-alert": CrowdAlert,
  "crowd-badge": CrowdBadge,
  "crowd-button": CrowdButton,
  "crowd-card": CrowdCard,
  "crowd-checkbox": CrowdCheckbox,
  "crowd-classifier": CrowdClassifier,
  "crowd-classifier-multi-select": CrowdClassifierMultiSelect,
  "crowd-fab": CrowdFab,
  "crowd-form": CrowdForm,
  "crowd-icon-button": CrowdIconButton,
  "crowd-image-classifier": CrowdImageClassifier,
  "crowd-image-classifier-multi-select": CrowdImageClassifierMultiSelect,
  "crowd-input": CrowdInput,
  "crowd-instructions": CrowdInstructions,
  "crowd-modal": CrowdModal,
  "crowd-radio-button": CrowdRadioButton,
  "crowd-radio-group": CrowdRadioGroup,
  "crowd-rekognition-detect-moderation-labels": CrowdRekognitionDetectModerationLabels,
  "crowd-slider": CrowdSlider,
  "crowd-slider-label": CrowdSliderLabel,
  "crowd-tab": CrowdTab,
  "crowd-tabs": CrowdTabs,
  "crowd-text-area": CrowdTextArea,
  "crowd-toast": CrowdToast,
  "crowd-toggle-button": CrowdToggleButton,
  "overread-missing-element": MissingElement,
  "overread-message": SandboxMessage,
};

/** Under everything that a template brings itself: lowest specificity, first in the page. */
const PAGE_STYLE = `:where(body){margin:0;padding:1.25rem clamp(1rem,3vw,2rem) 1.5rem;line-height:1.5;
font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
:where(classification-target,short-instructions,full-instructions,short-summary,detailed-instructions,
positive-example,negative-example){display:block}:where(worker-comment){display:none}
:where(short-instructions)>:where(:first-child){margin-top:0}:where(short-instructions)>:where(:last-child){margin-bottom:0}
:where(short-instructions)>:where(ul,ol){padding-left:1.25em}`;

function start(): void {
  Object.assign(globalThis, { overreadKit: kit });
  reportUnloaded();
  furnish();
  window.addEventListener("error", (event) => tellPage({ type: "broken", message: event.message }));
  const style = document.createElement("style");
  style.textContent = PAGE_STYLE;
  document.head.prepend(style);
  for (const [tag, element] of Object.entries(ELEMENTS)) customElements.define(tag, element);
  new MutationObserver(() => void loadFamilies(document)).observe(document, { childList: true, subtree: true });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => void ready());
  else void ready();
}

async function ready(): Promise<void> {
  await complete();
  completeForm();
  new MutationObserver(() => void complete()).observe(document.body, { childList: true, subtree: true });
  const pending = Array.from(document.querySelectorAll(":defined"), (element) =>
    "updateComplete" in element ? element.updateComplete : undefined,
  );
  await Promise.all(pending);
  if (document.title === "") document.title = "Task"; // templates seldom bring one
  joinPage();
  document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }));
}

async function complete(): Promise<void> {
  await loadFamilies(document);
  nameUnknown(document);
}

if (!customElements.get("crowd-form")) start();
