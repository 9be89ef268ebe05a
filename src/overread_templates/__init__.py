"""Worker templates as A2I and Ground Truth know them: Liquid inside Crowd HTML, rendered and linted."""

from overread_templates.crowd_elements import without_element_styles
from overread_templates.findings import Finding
from overread_templates.lint import lint_template
from overread_templates.rendering import Template, TemplateError, parse_template
from overread_templates.s3_location import S3Location, SignUrl, parse_s3_location

__all__ = [
    "Finding",
    "S3Location",
    "SignUrl",
    "Template",
    "TemplateError",
    "lint_template",
    "parse_s3_location",
    "parse_template",
    "without_element_styles",
]
