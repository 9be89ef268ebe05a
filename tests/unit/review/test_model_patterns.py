"""Every pattern of the service models that are emulated is one that Python can check."""

import botocore.session
import pytest

from overread_review.wire.validation import _compiled

SERVICES = ("sagemaker", "sagemaker-a2i-runtime", "sagemaker-runtime", "application-autoscaling")


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_the_model_compiles(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    shapes = [model.shape_for(name) for name in model.shape_names]
    patterns = {shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata}
    assert patterns
    for pattern in patterns:
        _compiled(pattern)


def test_a_character_beyond_the_basic_plane_is_one_character_of_the_java_class() -> None:
    pattern = r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*"
    assert _compiled(pattern).fullmatch("endpoint/é😀")
    assert not _compiled(pattern).fullmatch("bell \x07")
