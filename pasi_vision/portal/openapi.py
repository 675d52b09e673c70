"""The description of the REST API in OpenAPI 3.1, made from the route table so that it cannot drift."""

from __future__ import annotations

import re
from typing import Any

from pasi_vision.provenance import package_version

__all__ = ["description"]

_ERROR = {
    "description": "Refused; the body says why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_LISTS = ("api-subjects", "api-visits", "api-photographs", "api-queries", "api-findings", "api-scores")


def description(server: str) -> dict[str, Any]:
    """The whole document."""
    from pasi_vision.portal.urls import ROUTES

    paths: dict[str, Any] = {}
    for route in ROUTES:
        if not route.is_api:
            continue
        address = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route.pattern)
        for method in route.methods:
            if method == "HEAD" and "GET" in route.methods:
                continue
            paths.setdefault(address, {})[method.lower()] = _operation(route, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pasi-vision portal",
            "version": package_version(),
            "description": "Send `Authorization: Bearer <token>`. A token has its owner's role and sees its owner's sites only.",
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Error": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("error", "where", "fix")},
                    "required": ["error"],
                },
                "Rows": {
                    "type": "object",
                    "properties": {
                        "total": {"type": "integer"},
                        "offset": {"type": "integer"},
                        "next_offset": {"type": ["integer", "null"]},
                        "rows": {"type": "array", "items": {"type": "object"}},
                    },
                },
            },
        },
    }


def _operation(route: Any, method: str) -> dict[str, Any]:
    words = " ".join((route.view.__doc__ or "").split())
    operation: dict[str, Any] = {
        "operationId": f"{route.name}-{method.lower()}",
        "summary": words,
        "description": f"Asks for the permission to {route.needs.value}.",
        "responses": {"400": _ERROR, "401": _ERROR, "403": _ERROR},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in re.findall(r"<\w+:(\w+)>", route.pattern)
    ]
    if route.name in _LISTS:
        rows = {"application/json": {"schema": {"$ref": "#/components/schemas/Rows"}}}
        operation["responses"]["200"] = {"description": "Rows.", "content": rows}
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": {"type": "integer", "minimum": 0}}
            for name in ("offset", "limit")
        ]
    else:
        operation["responses"]["2XX"] = {"description": "Done."}
    if parameters:
        operation["parameters"] = parameters
    return operation
