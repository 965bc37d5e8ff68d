// Objects as keys and values: JSON, JavaScript's own types, and messages of Protocol Buffers.
// The caches `items` and `orders` are configured as in docs/keys-and-values.md.

import protobuf from 'protobufjs'
import { codecs, connect, protobufjsMessage } from 'libhotrod'

const SCHEMA = `syntax = "proto3";
package shop;
message Order {
  string item = 1;
  int32 price = 2;
}
`

async function jsonValues(client) {
  const items = client.cache('items', { codecs: { key: codecs.text, value: codecs.json() } })
  await items.put('42', { name: 'lamp', price: 1999 })
  await items.put('43', { name: 'chair', price: 8900 })
  const lamp = await items.get('42')
  console.log(`${lamp.name} costs ${lamp.price}`)

  let total = 0
  for await (const { value } of items.iterate()) total += value.price
  console.log(`together ${total}`)
}

async function scalars(client) {
  const integers = codecs.protostream({ number: 'int32' })
  const numbers = client.cache('orders', { codecs: { key: integers, value: integers } })
  await numbers.put('last', 7) // Java: orders.put("last", 7)
  console.log(`last order: ${await numbers.get('last')}`)
}

async function messages(client) {
  await client.schemas.register({ 'shop.proto': SCHEMA })
  const Order = protobuf.parse(SCHEMA).root.lookupType('shop.Order')
  const key = codecs.protostream({ number: 'int32' }) // Java's Integer
  const value = codecs.protostream({ messages: [protobufjsMessage(Order)] })
  const orders = client.cache('orders', { codecs: { key, value } })
  await orders.put(7, Order.create({ item: 'lamp', price: 1999 })) // Java: orders.put(7, new Order("lamp", 1999))
  const order = await orders.get(7)
  console.log(`order 7: ${order.item} for ${order.price}`)

  // The server has the schema, so it converts the message.
  const asJson = client.cache('orders', { codecs: { key, value: codecs.json() } })
  console.log(JSON.stringify(await asJson.get(7)))
}

const client = await connect(process.argv[2] ?? 'hotrod://127.0.0.1:11222')
await jsonValues(client)
await scalars(client)
await messages(client)
await client.close()
