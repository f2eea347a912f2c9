"""From the types of answers and the fields of inputs to JSON Schema (2020-12)."""

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, Required, get_args, get_origin, get_type_hints

from rest_framework import serializers

from chatplatform.dialects.fields import Input
from chatplatform.dialects.operations import Form

Schema = dict[str, Any]
#: Keeps a named schema among the components and answers the reference to it.
Register = Callable[[type, Callable[[], Schema]], Schema]

_BASIC: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def schema_of_type(hint: Any, register: Register) -> Schema:
    """The schema of an answer's type; a TypedDict has these keys and no other."""
    if hint is Any:
        return {}
    if hint in _BASIC:
        return {"type": _BASIC[hint]}
    if typing.is_typeddict(hint):
        return register(hint, lambda: _object(hint, register))
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        schema = schema_of_type(args[0], register)
        for form in args[1:]:
            if isinstance(form, Form):
                schema |= {name: value for name in ("format", "pattern") if (value := getattr(form, name))}
        return schema
    if origin in (NotRequired, Required):
        return schema_of_type(args[0], register)
    if origin is Literal:
        kinds = sorted({_BASIC[type(value)] for value in args})
        return {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": list(args)}
    if origin in (typing.Union, types.UnionType):
        return _either([schema_of_type(arg, register) for arg in args])
    if origin in (list, Sequence):
        return {"type": "array", "items": schema_of_type(args[0], register)}
    if hint is dict:
        return {"type": "object"}
    if origin in (dict, Mapping):
        values = schema_of_type(args[1], register)
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    raise TypeError(f"{hint!r} has no place in an answer")


def _object(hint: type, register: Register) -> Schema:
    hints = get_type_hints(hint, include_extras=True)
    required = sorted(typing.cast(Any, hint).__required_keys__, key=list(hints).index)
    return {
        "type": "object",
        "properties": {name: schema_of_type(value, register) for name, value in hints.items()},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _either(choices: list[Schema]) -> Schema:
    """`{"type": ["string", "null"], …}` where the parts only differ by type, else `anyOf`."""
    null = {"type": "null"}
    others = [choice for choice in choices if choice != null]
    if null in choices and len(others) == 1:
        return nullable(others[0])
    return {"anyOf": choices}


def nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]} if schema else {}
    kinds = [*(kind if isinstance(kind, list) else [kind]), "null"]
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": kinds, **enum}


def schema_of_input(kind: type[Input], register: Register) -> Schema:
    """The schema of a body: unknown fields are ignored, null for an optional field is its default."""
    return register(kind, lambda: _input(kind, register))


def _input(kind: type[Input], register: Register) -> Schema:
    serializer = kind()
    properties = {}
    for name, field in serializer.fields.items():
        schema = schema_of_field(field, register)
        takes_null = field.allow_null or (kind.nulls_are_absent and not field.required)
        properties[name] = nullable(schema) if takes_null else schema
    required = [name for name, field in serializer.fields.items() if field.required]
    listed = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **listed, **kind.json_schema_extra}


def schema_of_field(field: serializers.Field[Any, Any, Any, Any], register: Register) -> Schema:
    schema = _field(field, register)
    if field.help_text:
        schema["description"] = str(field.help_text)
    return schema


def _field(field: serializers.Field[Any, Any, Any, Any], register: Register) -> Schema:
    own = getattr(field, "json_schema", None)
    if own is not None:
        return dict(own())
    match field:
        case serializers.ChoiceField():
            return {"type": "string", "enum": list(field.choices)}
        case serializers.ListField():
            limits = {"minItems": field.min_length, "maxItems": field.max_length}
            items = schema_of_field(field.child, register)
            return {"type": "array", "items": items, **{k: v for k, v in limits.items() if v is not None}}
        case serializers.ListSerializer():
            limits = {"minItems": 0 if field.allow_empty else 1, "maxItems": getattr(field, "max_length", None)}
            items = schema_of_input(type(typing.cast(Input, field.child)), register)
            return {"type": "array", "items": items, **{k: v for k, v in limits.items() if v is not None}}
        case Input():
            return schema_of_input(type(field), register)
        case serializers.JSONField() | serializers.DictField():
            return {"type": "object"}
    raise TypeError(f"{type(field).__name__} says nothing of its JSON (json_schema)")
