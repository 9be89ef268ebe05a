// Undo and redo over states that are never changed in place.

const MOST = 200;

export class History<State> {
  private past: State[] = [];
  private future: State[] = [];

  constructor(private present: State) {}

  get state(): State {
    return this.present;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  push(state: State): void {
    if (state === this.present) return;
    this.past.push(this.present);
    if (this.past.length > MOST) this.past.shift();
    this.present = state;
    this.future = [];
  }

  undo(): State {
    const before = this.past.pop();
    if (before !== undefined) {
      this.future.push(this.present);
      this.present = before;
    }
    return this.present;
  }

  redo(): State {
    const after = this.future.pop();
    if (after !== undefined) {
      this.past.push(this.present);
      this.present = after;
    }
    return this.present;
  }

  /** Forget everything but this state. */
  reset(state: State): void {
    this.past = [];
    this.future = [];
    this.present = state;
  }
}
