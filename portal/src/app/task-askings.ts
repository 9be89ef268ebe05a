// What a reviewer is asked before a task is declined, given up as undecidable, or shown to the lead.
import type { Asking } from "./ask-dialog";

type Run = Asking["run"];

export const cannotDecide = (run: Run): Asking => ({
  title: "You cannot decide?",
  detail: "That is an answer too. Say why, so that the next person knows what is missing.",
  label: "Reason",
  confirm: "Submit “cannot decide”",
  run,
});

export const decline = (run: Run): Asking => ({
  title: "Decline this task?",
  detail: "You will not see it again; another reviewer will.",
  label: "",
  confirm: "Yes, decline",
  silent: true,
  run,
});

export const question = (run: Run): Asking => ({
  title: "Ask the lead",
  detail: "The lead answers here. You can go on meanwhile.",
  label: "Question",
  confirm: "Ask",
  run,
});

export const flag = (run: Run): Asking => ({
  title: "Flag this task",
  detail: "Tell the lead what is wrong with it. The task stays yours.",
  label: "What is wrong",
  confirm: "Flag",
  run,
});
