"""Faults of RStudio's settings."""

from __future__ import annotations

from tests.unit.config.broken import Broken, top

from overread.studio.workbench import CURRENT

_OLD = "2025.05.1+513.pro3"


def studio(line: str) -> str:
    """VALID with a setting of its studio."""
    return top(f"studio:\n  {line}")


def _image(version: str) -> str:
    return (
        "{name: geo, image: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/geo:1, "
        f"workbench_version: {version}}}"
    )


STUDIO: dict[str, Broken] = {
    "studio": Broken(top("studio: on"), "studio", "studio", "on", "`auth_mode`", "must be a mapping"),
    "studio_auth_mode": Broken(studio("auth_mode: LDAP"), "auth_mode", "studio.auth_mode", "LDAP", "`SSO`"),
    "studio_user_name": Broken(
        studio("users: [{name: a_b, owner: ada}]"), "a_b", "studio.users[0].name", "a_b", "hyphens inside"
    ),
    "studio_user_owner": Broken(
        studio("users: [{name: ada, owner: 'ada lovelace'}]"),
        "lovelace",
        "studio.users[0].owner",
        "ada lovelace",
        "as IAM writes names",
    ),
    "studio_user_admin": Broken(
        studio("users: [{name: ada, owner: ada, admin: 2}]"),
        "admin",
        "studio.users[0].admin",
        "2",
        "true or false",
    ),
    "studio_image_name": Broken(
        studio(f"r_images: [{_image(CURRENT).replace('geo,', 'geo_1,', 1)}]"),
        "geo_1",
        "studio.r_images[0].name",
        "geo_1",
        "hyphens inside",
    ),
    "studio_user_reserved": Broken(
        studio("users: [{name: domain-shared, owner: ada}]"),
        "domain-shared",
        "studio.users[0].name",
        "domain-shared",
        "another name",
        "is SageMaker's own",
    ),
    "studio_user_twice": Broken(
        studio("users: [{name: ada, owner: ada}, {name: ada, owner: ben}]"),
        "users",
        "studio.users[1].name",
        "ada",
        "a name of its own",
        "is there twice",
    ),
    "studio_connect_url": Broken(
        studio("connect_url: http://connect.example"),
        "connect_url",
        "studio.connect_url",
        "http://connect.example",
        "an https address",
    ),
    "studio_package_manager_url": Broken(
        studio("package_manager_url: packages"),
        "package_manager_url",
        "studio.package_manager_url",
        "packages",
        "an https address",
    ),
    "studio_version": Broken(
        studio("workbench_version: '1.4'"), "workbench_version", "studio.workbench_version", "1.4", CURRENT
    ),
    "studio_server_instance": Broken(
        studio(f"workbench_version: {CURRENT}\n  server_instance: ml.m5.large"),
        "server_instance",
        "studio.server_instance",
        "ml.m5.large",
        "`system`",
    ),
    "studio_server_without_version": Broken(
        studio("server_instance: system"),
        "studio",
        "studio.workbench_version",
        "nothing",
        CURRENT,
        "is required with server_instance",
    ),
    "studio_image": Broken(
        studio(f"r_images: [{{name: geo, image: rocker/r-ver, workbench_version: {CURRENT}}}]"),
        "rocker",
        "studio.r_images[0].image",
        "rocker/r-ver",
        "an image in ECR",
    ),
    "studio_image_version": Broken(
        studio(f"r_images: [{_image(_OLD)}]"),
        "r_images",
        "studio.r_images[0].workbench_version",
        _OLD,
        CURRENT,
        "R sessions of the image would fail",
    ),
    "studio_data_prefix": Broken(
        studio("data_prefix: /r"), "data_prefix", "studio.data_prefix", "/r", "a prefix that ends in /"
    ),
    "studio_instance_types": Broken(
        studio("instance_types: [m5.large]"),
        "instance_types",
        "studio.instance_types[0]",
        "m5.large",
        "such as ml.m5.large",
    ),
    "studio_project": Broken(
        studio("project: 'my project'"), "project", "studio.project", "my project", "a tag's value"
    ),
    "studio_log_group": Broken(
        studio("log_group: never"), "log_group", "studio.log_group", "never", "`exists`"
    ),
    "studio_on_destroy": Broken(
        studio("on_destroy: all"), "on_destroy", "studio.on_destroy", "all", "`domain-and-homes`"
    ),
}
