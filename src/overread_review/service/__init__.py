"""Pure logic of human review: what loops, tasks, claims and answers may do; the outside lies behind ports."""
