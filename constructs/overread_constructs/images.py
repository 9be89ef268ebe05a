"""SageMaker's scikit-learn images: which account holds them in which region."""

from collections.abc import Mapping
from types import MappingProxyType

SKLEARN_IMAGE_VERSION = "1.9-0"
"""Tag of the newest inference image; its Python serves `inference.py` that needs numpy only."""

SKLEARN_IMAGE_REPOSITORY = "sagemaker-scikit-learn"

SKLEARN_IMAGE_ACCOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "af-south-1": "510948584623",
        "ap-east-1": "651117190479",
        "ap-northeast-1": "354813040037",
        "ap-northeast-2": "366743142698",
        "ap-northeast-3": "867004704886",
        "ap-south-1": "720646828776",
        "ap-south-2": "628508329040",
        "ap-southeast-1": "121021644041",
        "ap-southeast-2": "783357654285",
        "ap-southeast-3": "951798379941",
        "ap-southeast-4": "106583098589",
        "ca-central-1": "341280168497",
        "ca-west-1": "190319476487",
        "cn-north-1": "450853457545",
        "cn-northwest-1": "451049120500",
        "eu-central-1": "492215442770",
        "eu-central-2": "680994064768",
        "eu-north-1": "662702820516",
        "eu-south-1": "978288397137",
        "eu-south-2": "104374241257",
        "eu-west-1": "141502667606",
        "eu-west-2": "764974769150",
        "eu-west-3": "659782779980",
        "il-central-1": "898809789911",
        "me-central-1": "272398656194",
        "me-south-1": "801668240914",
        "sa-east-1": "737474898029",
        "us-east-1": "683313688378",
        "us-east-2": "257758044811",
        "us-gov-east-1": "237065988967",
        "us-gov-west-1": "414596584902",
        "us-iso-east-1": "833128469047",
        "us-isob-east-1": "281123927165",
        "us-isof-east-1": "108575199400",
        "us-isof-south-1": "124985052026",
        "us-west-1": "746614075791",
        "us-west-2": "246618743249",
    }
)
"""Account of the image's registry by region."""

_SUFFIXES = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
)


def sklearn_image(region: str) -> str:
    """Address of the scikit-learn inference image in `region`.

    Raises:
        ValueError: when SageMaker has no such image there, or `region` is a token: give the region a value.
    """
    account = SKLEARN_IMAGE_ACCOUNTS.get(region)
    if account is None:
        known = ", ".join(sorted(SKLEARN_IMAGE_ACCOUNTS))
        raise ValueError(f"region must have a scikit-learn image, got {region!r}; allowed: {known}")
    suffix = next((suffix for prefix, suffix in _SUFFIXES if region.startswith(prefix)), "amazonaws.com")
    registry = f"{account}.dkr.ecr.{region}.{suffix}"
    return f"{registry}/{SKLEARN_IMAGE_REPOSITORY}:{SKLEARN_IMAGE_VERSION}-cpu-py3"
