"""Lambda code from installed Python packages, without Docker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from overread_constructs._bundle import Bundle

NUMPY_EXCLUDE = (
    "overread/consensus/*",
    "overread/labeling/active/*",
    *(
        f"overread/labeling/consolidation/{name}.py"
        for name in ("batch", "boxes", "classification", "entities", "masks", "png", "text")
    ),
    "overread_lambda/consolidate_annotations.py",
    *(
        f"overread/risk/{name}.py"
        for name in (
            "binomial",
            "calibration",
            "columns",
            "costs",
            "curves",
            "propensity",
            "reference",
            "scores",
            "sequences",
            "thresholds",
        )
    ),
)
"""What needs numpy, which no function has but the one that consolidates annotations."""

ANALYTICS_ONLY = ("overread_aws/parquet_files.py", "overread_lambda/export_analytics.py")
"""What needs pyarrow, which no function has but the one that exports analytics."""

HANDLER_PACKAGES = ("overread", "overread_aws", "overread_client", "overread_lambda")
HANDLER_EXCLUDE = (
    *NUMPY_EXCLUDE,
    *ANALYTICS_ONLY,
    "overread_client/openapi.json",
    "overread_lambda/authorize_client.py",
    "overread_aws/cognito_people.py",
    "overread_aws/event_bus.py",
    "overread_aws/labeling_functions.py",
    "overread_aws/labeling_objects.py",
    "overread_aws/review_*",
    "overread_aws/sealing.py",
    "overread_lambda/archive_evidence.py",
    "overread_lambda/drive_labeling.py",
    "overread_lambda/review_*",
    "overread_lambda/sweep_reviews.py",
)
HANDLER_REQUIREMENTS = Path(__file__).parent / "handler_requirements.txt"

EVIDENCE_EXCLUDE = tuple(
    name
    for name in HANDLER_EXCLUDE
    if name not in ("overread_aws/sealing.py", "overread_lambda/archive_evidence.py")
)
EVIDENCE_REQUIREMENTS = Path(__file__).parent / "evidence_requirements.txt"

CONSOLIDATION_EXCLUDE = tuple(name for name in HANDLER_EXCLUDE if name not in NUMPY_EXCLUDE)
CONSOLIDATION_REQUIREMENTS = Path(__file__).parent / "consolidation_requirements.txt"

ANALYTICS_EXCLUDE = (
    *(name for name in HANDLER_EXCLUDE if name not in ANALYTICS_ONLY),
    # What writing Parquet to memory needs none of, 55 MB: the rest has 101 MB unzipped, Lambda takes 250.
    "pyarrow/include/*",
    "pyarrow/includes/*",
    "pyarrow/src/*",
    "pyarrow/tests/*",
    "pyarrow/*.h",
    "pyarrow/*.pxd",
    "pyarrow/*.pxi",
    "pyarrow/*.pyx",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*",
    "pyarrow/libarrow_s3*",
    *(
        f"pyarrow/_{name}.*"
        for name in ("acero", "azurefs", "csv", "dataset", "dataset_orc", "dataset_parquet")
    ),
    *(f"pyarrow/_{name}.*" for name in ("feather", "flight", "gcsfs", "hdfs", "json", "orc", "s3fs")),
)
ANALYTICS_REQUIREMENTS = Path(__file__).parent / "analytics_requirements.txt"

AUTHORIZER_PACKAGES = ("overread", "overread_lambda")

REVIEW_PACKAGES = (*HANDLER_PACKAGES, "overread_review", "overread_templates")
REVIEW_EXCLUDE = (*NUMPY_EXCLUDE, *ANALYTICS_ONLY, "babel/locale-data/[!er]*")
"""Locales other than English and the root, 30 MB: worker templates have no filters that ask for them."""
REVIEW_REQUIREMENTS = Path(__file__).parent / "review_requirements.txt"


class PythonCode:
    """Packages that this interpreter can import, with their locked requirements, as Lambda code."""

    @staticmethod
    def bundle(
        *, packages: Sequence[str], requirements: Path | None = None, exclude: Sequence[str] = ()
    ) -> lambda_.Code:
        """The packages as one asset for Lambda's Python 3.14 on arm64.

        Packages are found, never imported. `requirements` is a lock file with hashes; pip installs wheels
        only. `exclude` has shell patterns over names in the zip ("overread_aws/review_*"). The asset's hash
        covers inputs only, so that two machines agree and an unchanged tree uploads nothing; a stack whose
        bundling is skipped installs nothing. Where the functions run on another interpreter, as in the local
        stack, the environment variable OVERREAD_BUNDLE_PYTHON names it: wheels are then those for it.

        Example::

            lambda_.Function(
                self, "Score", runtime=lambda_.Runtime.PYTHON_3_14, handler="scoring.handler.handle",
                architecture=lambda_.Architecture.ARM_64,
                code=PythonCode.bundle(packages=["scoring"], requirements=Path("requirements.txt")),
            )

        Raises:
            BundleError: with every package that cannot be found; or OVERREAD_BUNDLE_PYTHON is no interpreter.
        """
        bundle = Bundle.of(packages=packages, requirements=requirements, exclude=exclude)
        return lambda_.Code.from_asset(
            str(bundle.packages[0][1]),
            asset_hash=bundle.digest(),
            bundling=BundlingOptions(
                image=DockerImage.from_registry("scratch"),  # asked for by the type, never run
                local=_LocalBundling(bundle),
            ),
        )


def handler_code() -> lambda_.Code:
    """The code of Overread's own handlers: the core, its AWS adapters, the client, the handlers, JMESPath.

    Example::

        ConfidenceRouter(self, "Router", code=handler_code(), …)   # the default of every `code`
    """
    return PythonCode.bundle(
        packages=HANDLER_PACKAGES, requirements=HANDLER_REQUIREMENTS, exclude=HANDLER_EXCLUDE
    )


def evidence_code() -> lambda_.Code:
    """The code of the function that archives evidence: that of the handlers, and what encrypts.

    Example::

        AuditTrail(self, "Audit", evidence_code=evidence_code(), …)   # the default
    """
    return PythonCode.bundle(
        packages=HANDLER_PACKAGES, requirements=EVIDENCE_REQUIREMENTS, exclude=EVIDENCE_EXCLUDE
    )


def consolidation_code() -> lambda_.Code:
    """The code of the function that consolidates annotations: that of the handlers, and numpy.

    Example::

        lambda_.Function(
            self, "Consolidate", runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="overread_lambda.consolidate_annotations.handler", code=consolidation_code(),
        )
    """
    return PythonCode.bundle(
        packages=HANDLER_PACKAGES, requirements=CONSOLIDATION_REQUIREMENTS, exclude=CONSOLIDATION_EXCLUDE
    )


def analytics_code() -> lambda_.Code:
    """The code of the function that exports analytics: that of the handlers, and pyarrow.

    Example::

        AnalyticsExport(self, "Analytics", code=analytics_code(), …)   # the default
    """
    return PythonCode.bundle(
        packages=HANDLER_PACKAGES, requirements=ANALYTICS_REQUIREMENTS, exclude=ANALYTICS_EXCLUDE
    )


def authorizer_code() -> lambda_.Code:
    """The code of the function that checks OIDC clients' tokens: it needs more cryptography than the others.

    Example::

        ConfidenceRouter(self, "Router", clients=OidcClients(issuer=…, audience=…), …)   # the default
    """
    return PythonCode.bundle(
        packages=AUTHORIZER_PACKAGES, requirements=REVIEW_REQUIREMENTS, exclude=NUMPY_EXCLUDE
    )


def review_code() -> lambda_.Code:
    """The code of the review service's functions: its program, its AWS adapters, and what they need.

    Example::

        ReviewService(self, "Reviews", code=review_code(), …)   # the default
    """
    return PythonCode.bundle(
        packages=REVIEW_PACKAGES, requirements=REVIEW_REQUIREMENTS, exclude=REVIEW_EXCLUDE
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def try_bundle(self, output_dir: str, *_options: Any, **_named: Any) -> bool:
        self._bundle.write(Path(output_dir))
        return True
