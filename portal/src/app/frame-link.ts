// The page's end of the channel to the task in its sandbox: only that frame, and only with this task's nonce.
import type { Enveloped, FrameMessage, PageMessage } from "../frame/channel";

export class FrameLink {
  private nonce = "";

  /** `frame` finds the frame, `heard` takes what it says. */
  constructor(
    private readonly frame: () => HTMLIFrameElement | null,
    private readonly heard: (message: FrameMessage) => void,
  ) {}

  /** A new task: nothing that belongs to the one before is heard any more. */
  renew(): void {
    this.nonce = crypto.randomUUID();
  }

  /** The frame's address with the nonce behind it. */
  address(frameUrl: string): string {
    return `${frameUrl}#${this.nonce}`;
  }

  listen(): void {
    window.addEventListener("message", this.receive);
  }

  stop(): void {
    window.removeEventListener("message", this.receive);
  }

  tell(message: PageMessage): void {
    this.frame()?.contentWindow?.postMessage({ ...message, overread: this.nonce }, "*"); // the frame's origin is opaque
  }

  private readonly receive = (event: MessageEvent<Enveloped<FrameMessage> | null>): void => {
    const frame = this.frame();
    if (!frame || event.source !== frame.contentWindow || event.data?.overread !== this.nonce) return;
    this.heard(event.data);
  };
}
