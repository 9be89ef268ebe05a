"""The CDK application of one deployment, which `-c config=FILE` or OVERREAD_CONFIG chooses."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from overread.errors import OverreadError
from overread_config import load_settings

context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
chosen = context.get("config") or os.environ.get("OVERREAD_CONFIG")
try:
    settings = load_settings(Path(chosen) if chosen else Path(__file__).parent / "config" / "demo.yaml")
    # Imported late: a faulty configuration is told at once, before the CDK's seconds of start-up.
    from aws_cdk import App

    from overread_stacks.app_factory import FEATURE_FLAGS, build_app
    from overread_stacks.checks import add_checks

    app = App(context=FEATURE_FLAGS, analytics_reporting=False)
    build_app(settings, app=app)
except OverreadError as error:
    sys.exit(str(error))
add_checks(app, today=datetime.now(UTC).date())
app.synth()
