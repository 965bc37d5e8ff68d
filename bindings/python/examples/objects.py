"""Objects as keys and values: JSON, Python's own types, and messages of Protocol Buffers.

The caches `items` and `orders` are configured as in docs/keys-and-values.md.
"""

import asyncio
import sys
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.proto_builder import MakeSimpleProtoClass

import libhotrod
from libhotrod import codecs
from libhotrod.protostream import Int32

SCHEMA = """syntax = "proto3";
package shop;
message Order {
  string item = 1;
  int32 price = 2;
}
"""
# An application has this class from protoc.
FIELDS: dict[str, int] = {"item": FieldDescriptorProto.TYPE_STRING, "price": FieldDescriptorProto.TYPE_INT32}
Order: Any = MakeSimpleProtoClass(FIELDS, full_name="shop.Order")


async def json_values(client: libhotrod.Client) -> None:
    items = client.cache("items", key_codec=codecs.TEXT, value_codec=codecs.JSON)
    await items.put("42", {"name": "lamp", "price": 1999})
    await items.put("43", {"name": "chair", "price": 8900})
    lamp = await items.get("42")
    assert lamp is not None
    print(f"{lamp['name']} costs {lamp['price']}")

    total = 0
    async for entry in items.iterate():
        total += entry.value["price"]
    print(f"together {total}")


async def scalars(client: libhotrod.Client) -> None:
    numbers = client.cache("orders", key_codec=codecs.PROTOSTREAM, value_codec=codecs.PROTOSTREAM)
    await numbers.put("last", Int32(7))  # Java: orders.put("last", 7)
    print(f"last order: {await numbers.get('last')}")


async def messages(client: libhotrod.Client) -> None:
    await client.schemas.register({"shop.proto": SCHEMA})
    orders = client.cache("orders", key_codec=codecs.PROTOSTREAM, value_codec=codecs.protostream(messages=[Order]))
    await orders.put(Int32(7), Order(item="lamp", price=1999))  # Java: orders.put(7, new Order("lamp", 1999))
    order = await orders.get(Int32(7))
    assert order is not None
    print(f"order 7: {order.item} for {order.price}")

    # The server has the schema, so it converts the message.
    as_json = client.cache("orders", key_codec=codecs.PROTOSTREAM, value_codec=codecs.JSON)
    print(await as_json.get(Int32(7)))


async def main(uri: str) -> None:
    async with libhotrod.connect(uri) as client:
        await json_values(client)
        await scalars(client)
        await messages(client)


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "hotrod://127.0.0.1:11222"))
