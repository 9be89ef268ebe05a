"""Every limit of task UIs, flow definitions, human loops, work teams and workforces, as typed data.

They are Amazon A2I's. The review service keeps the same: what works with one backend works with the other.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class TextLimit:
    """Length in characters and, where there is one, the pattern that the whole text must match."""

    minimum: int
    maximum: int
    pattern: str = ""

    def allows(self, text: str) -> bool:
        """Whether `text` keeps the limit."""
        if not self.minimum <= len(text) <= self.maximum:
            return False
        return not self.pattern or re.fullmatch(self.pattern, text) is not None

    def __str__(self) -> str:
        length = f"{self.minimum} to {self.maximum:,} characters"
        return f"{length} matching {self.pattern}" if self.pattern else length


@dataclass(frozen=True, slots=True)
class RangeLimit:
    """A whole number from `minimum` to `maximum`, both allowed."""

    minimum: int
    maximum: int

    def allows(self, number: int) -> bool:
        """Whether `number` lies in the range."""
        return self.minimum <= number <= self.maximum

    def __str__(self) -> str:
        return f"{self.minimum:,} to {self.maximum:,}"


_LOWER_NAME = r"[a-z0-9](-*[a-z0-9]){0,62}"

# Names
HUMAN_LOOP_NAME = TextLimit(1, 63, _LOWER_NAME)
FLOW_DEFINITION_NAME = TextLimit(1, 63, _LOWER_NAME)
HUMAN_TASK_UI_NAME = TextLimit(1, 63, _LOWER_NAME)
WORKFORCE_NAME = TextLimit(1, 63, r"[a-zA-Z0-9]([a-zA-Z0-9\-]){0,62}")
WORKTEAM_NAME = TextLimit(1, 63, r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

# ARNs
HUMAN_TASK_UI_ARN = TextLimit(
    1, 1024, r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:human-task-ui/[a-z0-9](-*[a-z0-9])*"
)
FLOW_DEFINITION_ARN = TextLimit(
    1, 1024, r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:flow-definition/[a-z0-9](-*[a-z0-9])*"
)
WORKTEAM_ARN = TextLimit(1, 256, r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:workteam/.*")
HUMAN_LOOP_ARN = TextLimit(1, 1024, r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:human-loop/.*")
ROLE_ARN = TextLimit(20, 2048, r"arn:aws[a-z\-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
PUBLIC_WORKTEAM_ACCOUNT = "394669845002"

# Task UI
TEMPLATE_CONTENT = TextLimit(1, 128_000)

# Flow definition
TASK_TITLE = TextLimit(1, 128)
TASK_DESCRIPTION = TextLimit(1, 255)
TASK_COUNT = RangeLimit(1, 3)
TASK_KEYWORDS = RangeLimit(1, 5)
TASK_KEYWORD = TextLimit(1, 30, r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")
TASK_TIME_LIMIT_S = RangeLimit(30, 28_800)
TASK_TIME_LIMIT_DEFAULT_S = 3_600
TASK_AVAILABILITY_S = RangeLimit(1, 864_000)
TASK_AVAILABILITY_PUBLIC_S = RangeLimit(1, 43_200)
OUTPUT_PATH = TextLimit(1, 512, r"(https|s3)://([^/]+)/?(.*)")
ACTIVATION_CONDITIONS = TextLimit(1, 10_240)
SAMPLING_PERCENTAGE_MINIMUM = Decimal("0.01")
SAMPLING_PERCENTAGE_MAXIMUM = Decimal(100)
TAGS = RangeLimit(0, 50)
OPEN_LOOPS_PER_FLOW_DEFINITION = 5_000
OPEN_LOOPS_PER_PUBLIC_FLOW_DEFINITION = 1_000
FLOW_DEFINITIONS_PER_ACCOUNT = 100
HUMAN_TASK_UIS_PER_ACCOUNT = 100

# Human loop
INPUT_CONTENT = TextLimit(1, 3_145_728)
CONTENT_CLASSIFIERS = RangeLimit(0, 256)
LIST_PAGE = RangeLimit(1, 100)
NEXT_TOKEN = TextLimit(0, 8_192)

# Work team
WORKTEAM_DESCRIPTION = TextLimit(1, 200)
MEMBER_DEFINITIONS = RangeLimit(1, 10)
WORKTEAMS_PER_ACCOUNT = 25
COGNITO_USER_GROUP = TextLimit(1, 128)
OIDC_GROUPS = RangeLimit(1, 10)
OIDC_GROUP = TextLimit(1, 63)

# Workforce
WORKFORCES_PER_ACCOUNT = 1
COGNITO_USER_POOL = TextLimit(1, 55, r"[\w-]+_[0-9a-zA-Z]+")
COGNITO_CLIENT_ID = TextLimit(1, 1024, r"[ -~]+")
OIDC_ENDPOINT = TextLimit(8, 500, r"https://\S+")
OIDC_CLIENT_ID = TextLimit(1, 1024)
OIDC_CLIENT_SECRET = TextLimit(1, 1024)
OIDC_SCOPE = TextLimit(0, 1024)
OIDC_EXTRA_PARAMETERS = RangeLimit(0, 10)
SOURCE_IP_CIDRS = RangeLimit(1, 10)
WORKFORCE_SECURITY_GROUPS = RangeLimit(1, 5)
WORKFORCE_SUBNETS = RangeLimit(1, 16)

CONTENT_CLASSIFIER_NO_PERSONAL_DATA = "FreeOfPersonallyIdentifiableInformation"
CONTENT_CLASSIFIER_NO_ADULT_CONTENT = "FreeOfAdultContent"

A2I_REGIONS = frozenset(
    {
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-west-1",
        "eu-west-2",
    }
)


class RequestSource(StrEnum):
    """The AWS services that start human loops by themselves."""

    REKOGNITION = "AWS/Rekognition/DetectModerationLabels/Image/V3"
    TEXTRACT = "AWS/Textract/AnalyzeDocument/Forms/V1"


class PricedTask(StrEnum):
    """The kinds of task that the public workforce prices differently."""

    BOUNDING_BOX = "bounding-box"
    CLASSIFICATION = "classification"
    CUSTOM = "custom"
    REKOGNITION = "rekognition"
    SEMANTIC_SEGMENTATION = "semantic-segmentation"
    TEXTRACT = "textract"


def _ladder(*prices: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(price) for price in prices)


_LOW = _ladder("0.012", "0.024")
_STEPS = _ladder("0.036", "0.048", "0.060", "0.072", "0.120", "0.240", "0.360", "0.480", "0.600", "0.720")
_HIGH = _ladder("0.840", "0.960", "1.080", "1.200")
_HIGHER = _ladder("1.320", "1.440", "1.560", "1.680", "1.800", "1.920", "2.040", "2.160", "2.280", "2.400")

PUBLIC_PRICES_USD: dict[PricedTask, tuple[Decimal, ...]] = {
    PricedTask.BOUNDING_BOX: _STEPS + _HIGH,
    PricedTask.CLASSIFICATION: _LOW + _STEPS + _HIGH,
    PricedTask.CUSTOM: _LOW + _STEPS + _HIGH,
    PricedTask.REKOGNITION: _LOW + _STEPS + _HIGH,
    PricedTask.SEMANTIC_SEGMENTATION: _HIGH,
    PricedTask.TEXTRACT: _LOW + _STEPS + _HIGH + _HIGHER,
}
"""What the public workforce may be paid for one task and worker, in dollars, rising."""


@dataclass(frozen=True, slots=True)
class Price:
    """An amount as the API takes it: 0.036 dollars is 0 dollars, 3 cents, 6 tenths of a cent."""

    dollars: int
    cents: int
    tenth_fractions_of_a_cent: int


def price_parts(price_usd: Decimal) -> Price:
    """The three members of `AmountInUsd` for `price_usd`.

    Raises:
        ValueError: the price is negative, above 2.999 dollars or finer than a tenth of a cent.
    """
    mills = price_usd * 1000
    if mills != mills.to_integral_value() or not 0 <= mills <= 2999:
        raise ValueError(f"price must be 0 to 2.999 dollars in steps of 0.001, got {price_usd}")
    dollars, rest = divmod(int(mills), 1000)
    cents, tenths = divmod(rest, 10)
    return Price(dollars=dollars, cents=cents, tenth_fractions_of_a_cent=tenths)
