"""The reviewer's pages and their JSON API."""
