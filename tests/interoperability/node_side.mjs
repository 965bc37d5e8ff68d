// The Node client: reads what another client wrote, Java's or the npm package `infinispan`, then writes what that reads.
// node node_side.mjs URI vectors.json PEER [NUMBER of the type of orders]
// node node_side.mjs URI media_types.json PEER --media-types

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../bindings/node/lib/index.js', import.meta.url))
const { ProtoStreamValue, codecs, connect, protobufjsMessage } = require('./index.js')
const protobuf = require('protobufjs')

const [uri, file, peer, option] = process.argv.slice(2)
const described = JSON.parse(readFileSync(file, 'utf8'))
const values = codecs.protostream()
const SCHEMA = `syntax = "proto3"; package shop;
enum Status { OPEN = 0; PAID = 1; LOST = 2; }
message Line { string item = 1; int64 count = 2; }
message Order { int32 number = 1; string customer = 2; Status status = 3; Line first = 4; repeated Line lines = 5;
  map<string, string> labels = 6; double price = 7; bytes signature = 8; int64 paidAt = 9; }`
const Order = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('shop.Order')

/** The value that a vector describes, of its explicit kind. */
function valueOf(described) {
  const [[kind, content]] = Object.entries(described)
  switch (kind) {
    case 'string':
    case 'bool':
      return content
    case 'bytes':
      return Buffer.from(content, 'hex')
    case 'double_bits':
      return Buffer.from(content.padStart(16, '0'), 'hex').readDoubleBE()
    case 'float_bits':
      return new ProtoStreamValue('float', Buffer.from(content.padStart(8, '0'), 'hex').readFloatBE())
    case 'null':
      return null
    case 'int64':
    case 'date_millis':
      return new ProtoStreamValue(kind, BigInt(content))
    case 'instant':
      return new ProtoStreamValue(kind, { seconds: BigInt(content.seconds), nanos: content.nanos })
    case 'enum':
      return new ProtoStreamValue(kind, { type: content.type ?? content.type_id, number: content.number })
    case 'message':
      return new ProtoStreamValue(kind, { type: content.type ?? content.type_id, bytes: Buffer.from(content.bytes, 'hex') })
    case 'container':
      return new ProtoStreamValue(kind, { type: content.type, elements: content.elements.map(valueOf) })
    default:
      return new ProtoStreamValue(kind, content)
  }
}

/** The order of a language, as in JavaSide.java. */
function order(language) {
  return Order.fromObject({
    number: -(2 ** 31),
    customer: `${language} \u{1f600}`,
    status: 2,
    first: { item: 'a', count: '9223372036854775807' },
    lines: [{ item: 'b\0', count: 1 }, { item: '\u4f60', count: -1 }],
    labels: { k: 'v' },
    price: -0.5,
    signature: Buffer.from([0, 1, 255]),
    paidAt: '-9223372036854775808',
  })
}

/** Keys and values of ProtoStream, and orders. */
async function exchangeProtoStream(client, vectors) {
  const cache = client.cache(undefined, { codecs: { key: values, value: values } })
  for (const [n, vector] of vectors.entries()) {
    const value = valueOf(vector.value)
    assert.equal(await cache.get(value), `${peer} ${n}`, `the entry with the key of vector ${n}`)
    assert.deepEqual(await cache.get(`${peer} value ${n}`), values.decode(Buffer.from(vector.bytes, 'hex')), `the value of vector ${n}`)
    await cache.put(value, `node ${n}`)
    await cache.put(`node value ${n}`, value)
  }
  const numbered = option === undefined ? {} : { typeId: Number(option) }
  const orders = codecs.protostream({ messages: [protobufjsMessage(Order, numbered)] })
  const shop = client.cache(undefined, { codecs: { key: orders, value: orders } })
  assert.deepEqual(Order.toObject(await shop.get(`${peer} order`)), Order.toObject(order(peer)))
  // The npm client writes the number of a type behind the message, Java's before it: another key.
  assert.equal(await shop.get(order(peer)), option === undefined ? `${peer} order` : null, "the peer's order as a key")
  await shop.put(order('node'), 'node order')
  await shop.put('node order', order('node'))
}

/** Text and JSON, on caches that store what media_types.json says. */
async function exchangeMediaTypes(client, modes) {
  const ofMediaType = { 'text/plain': codecs.text, 'application/json': codecs.json() }
  for (const mode of modes) {
    const cache = client.cache(mode.cache, { codecs: { key: ofMediaType[mode.key], value: ofMediaType[mode.value] } })
    for (const [n, key] of mode.keys.entries()) {
      assert.equal(await cache.get(key), `${peer} ${n}`, `${mode.cache}, key ${n}`)
      await cache.put(key, `node ${n}`)
    }
    for (const [n, value] of mode.values.entries()) {
      assert.deepEqual(await cache.get(`${peer} value ${n}`), value, `${mode.cache}, value ${n}`)
      await cache.put(`node value ${n}`, value)
    }
  }
}

const client = await connect(uri)
await (option === '--media-types' ? exchangeMediaTypes : exchangeProtoStream)(client, described)
await client.close()
