"""The messages of an application: what java/src/main/java/shop declares, as classes of Google's protobuf."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_SHOP = "shop"


def _field(message: Any, name: str, number: int, kind: int, of: str = "", repeated: bool = False) -> None:
    label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, type=kind, label=label)
    if of:
        field.type_name = f".{_SHOP}.{of}"


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package=_SHOP, syntax="proto3")
    status = file.enum_type.add(name="Status")
    for number, name in enumerate(("OPEN", "PAID", "LOST")):
        status.value.add(name=name, number=number)
    line = file.message_type.add(name="Line")
    _field(line, "item", 1, _FIELD.TYPE_STRING)
    _field(line, "count", 2, _FIELD.TYPE_INT64)
    order = file.message_type.add(name="Order")
    _field(order, "number", 1, _FIELD.TYPE_INT32)
    _field(order, "customer", 2, _FIELD.TYPE_STRING)
    _field(order, "status", 3, _FIELD.TYPE_ENUM, "Status")
    _field(order, "first", 4, _FIELD.TYPE_MESSAGE, "Line")
    _field(order, "lines", 5, _FIELD.TYPE_MESSAGE, "Line", repeated=True)
    _field(order, "labels", 6, _FIELD.TYPE_MESSAGE, "Order.LabelsEntry", repeated=True)
    _field(order, "price", 7, _FIELD.TYPE_DOUBLE)
    _field(order, "signature", 8, _FIELD.TYPE_BYTES)
    _field(order, "paidAt", 9, _FIELD.TYPE_INT64)
    entry = order.nested_type.add(name="LabelsEntry")
    entry.options.map_entry = True
    _field(entry, "key", 1, _FIELD.TYPE_STRING)
    _field(entry, "value", 2, _FIELD.TYPE_STRING)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
Order = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("shop.Order"))
Line = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("shop.Line"))


def order(language: str) -> Any:
    """The order of a language, as in JavaSide.java."""
    return Order(
        number=-(2**31),
        customer=f"{language} \U0001f600",
        status=2,
        first=Line(item="a", count=2**63 - 1),
        lines=[Line(item="b\0", count=1), Line(item="\u4f60", count=-1)],
        labels={"k": "v"},
        price=-0.5,
        signature=b"\x00\x01\xff",
        paidAt=-(2**63),
    )
