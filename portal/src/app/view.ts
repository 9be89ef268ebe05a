// Base of the portal's parts: Lit without a shadow root, so that one style sheet serves them all.
import { LitElement } from "lit";

export abstract class View extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }
}
