"""`overread`: the command line's entry point, which loads a command's module only when that command runs."""

from importlib import import_module

import click

COMMANDS = {
    "agreement": (
        "overread_cli.statistics.agreement",
        "agreement",
        "Measure how far workers' labels agree.",
    ),
    "audit": ("overread_cli.audit.command", "audit", "Verify, replay, report and export the audit log."),
    "backlog": ("overread_cli.backlog", "backlog", "List what waits for people, whoever asked for it."),
    "config": ("overread_cli.config_check", "config", "Check a deployment's configuration."),
    "consensus": (
        "overread_cli.statistics.consensus",
        "consensus",
        "One label an item out of the labels of several workers.",
    ),
    "dead-letters": (
        "overread_cli.dead_letters",
        "dead_letters",
        "List and redrive events that no function could handle.",
    ),
    "decide": ("overread_cli.decisions", "decide", "Ask for a decision."),
    "decisions": (
        "overread_cli.decisions",
        "decisions",
        "Read, watch, contest and cancel decisions.",
    ),
    "demo": ("overread_cli.demo.command", "demo", "Deploy, predict, review and decide on this machine."),
    "feedback": ("overread_cli.feedback", "feedback", "Export what people decided, to train on."),
    "guarantee": (
        "overread_cli.guarantees",
        "guarantee",
        "Show and approve what is promised of a model.",
    ),
    "guard": (
        "overread_cli.guard.command",
        "guard",
        "Refuse a change that would destroy what a stack keeps.",
    ),
    "kill-switch": ("overread_cli.steering", "kill_switch", "Keep models from deciding."),
    "label": (
        "overread_cli.labels.command",
        "label",
        "Plan, start, watch, change and report labeling jobs; export and import labels.",
    ),
    "local": (
        "overread_cli.local",
        "local",
        "Run the local stack: an AWS emulator with SageMaker, A2I and a portal.",
    ),
    "manifest": (
        "overread_cli.manifest.command",
        "manifest",
        "Make, check, split, measure and merge labeling manifests.",
    ),
    "monitor": ("overread_cli.guarantees", "monitor", "Show how often models are wrong."),
    "outbox": ("overread_cli.outbox", "outbox", "List and redrive news that nobody took."),
    "plan": (
        "overread_cli.plan.command",
        "plan",
        "People, reviewers and cost of a deployment before it starts.",
    ),
    "preflight": (
        "overread_cli.preflight.command",
        "preflight",
        "Check an AWS account before a deployment.",
    ),
    "review": (
        "overread_cli.review.command",
        "review",
        "List, start, answer, stop and export human loops.",
    ),
    "roster": ("overread_cli.steering", "roster", "Show, check and put in force who may decide."),
    "template": (
        "overread_cli.template.command",
        "template",
        "Lint, render, preview, compare and test worker templates.",
    ),
    "threshold": (
        "overread_cli.statistics.threshold",
        "threshold",
        "Certify what a model may decide alone.",
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on use, so that `overread --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="overread")
def main() -> None:
    """The second reading that a machine's decision needs: human-in-the-loop machine learning on AWS."""
